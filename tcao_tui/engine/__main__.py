"""`python -m tcao_tui.engine`: run the engine in the foreground until SIGTERM or SIGINT.

Out of scope: starting it in the background and finding it again (the `tcao engine` command).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

from tcao_tui import __version__, paths
from tcao_tui.engine.app import FEATURES, build_app
from tcao_tui.engine.catalogue import Catalogue, ModelSource, read_source
from tcao_tui.engine.checkpoints import Checkpoints
from tcao_tui.engine.compute import Compute
from tcao_tui.engine.context import Engine
from tcao_tui.engine.downloads import Downloads
from tcao_tui.engine.fault_actions import Connections, FaultActions
from tcao_tui.engine.faults import Faults
from tcao_tui.engine.runs import Runs
from tcao_tui.engine.samplers import Samplers
from tcao_tui.engine.sessions import Sessions
from tcao_tui.engine.state_dir import StateDir
from tcao_tui.engine.storage import BlobStore, Database
from tcao_tui.errors import TcaoError, UsageError

if TYPE_CHECKING:
    from tcao_tui.engine.backend import Backend

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
"""The only address the engine ever listens on."""

TIDY_SECONDS = 0.5
STOP_SECONDS = 5.0
"""How long a task in progress may go on after SIGTERM."""

CLIENT_CONFIG: dict[str, Any] = {
    "pjwt_auth_enabled": False,
    "parallel_fwdbwd_chunks": True,
    "proto_compress_fwdbwd": False,
    "sample_use_retrieve_futures": False,
    "sample_join_sampling_session": True,
    "custom_loss_server_side": False,
    "billing_exception_max_pause_duration_sec": 3600,
}
"""What the SDK is told; how long it waits for credit is its own default.

Not compressing is faster on the loopback address; polling each promise survives a restart.
"""


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line. Exits with status 2 and a usage line when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tcao_tui.engine", description="The local Tinker-compatible engine."
    )
    parser.add_argument("--state-dir", type=Path, default=paths.engine_dir(), help="keys, checkpoints, sessions")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (see engine.json)")
    parser.add_argument(
        "--model-dir", action="append", default=[], metavar="[NAME=]DIR", help="a Hugging Face causal model to serve"
    )
    parser.add_argument("--faults", type=Path, help="fault script, see tcao_tui/engine/faults.py")
    parser.add_argument("--session-timeout-seconds", type=float, default=180.0, help="silence that ends a session")
    parser.add_argument("--threads", type=int, help="threads that torch uses")
    parser.add_argument("--client-config", default="{}", metavar="JSON", help="flags told to clients, for tests")
    parser.add_argument("--clock-offset-seconds", type=float, default=0.0, help="shift expiry times, for tests")
    parser.add_argument(
        "--without", type=_features, default=(), metavar="FEATURE,...", help=f"what not to offer: {', '.join(FEATURES)}"
    )
    return parser.parse_args(arguments)


def _features(text: str) -> tuple[str, ...]:
    """Names of features from the command line. Raises what argparse turns into a usage error."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := [name for name in names if name not in FEATURES]:
        raise argparse.ArgumentTypeError(f"no feature {unknown[0]!r}; there are: {', '.join(FEATURES)}")
    return names


def build_engine(options: argparse.Namespace, place: StateDir, loop: asyncio.AbstractEventLoop) -> Engine:
    """Put the parts of an engine together.

    Raises:
        UsageError: A model folder, the fault script or the client flags are not valid.
    """

    def clock() -> float:
        return time.time() + options.clock_offset_seconds

    catalogue = Catalogue(_sources(options.model_dir))
    faults = Faults(options.faults, place.root / "fault-counts.json")
    key = place.key()
    database = Database(place.root / "engine.db")
    blobs = BlobStore(place.root / "blobs")
    blobs.sweep(database.blobs_in_use())
    checkpoints = Checkpoints(database, clock)

    def load() -> Backend:
        from tcao_tui.engine.backend import Backend

        return Backend(catalogue, blobs, options.threads)

    return Engine(
        key=key,
        client_config=CLIENT_CONFIG | _client_flags(options.client_config),
        catalogue=catalogue,
        database=database,
        blobs=blobs,
        sessions=Sessions(database, clock, options.session_timeout_seconds),
        samplers=Samplers(database, checkpoints, clock),
        checkpoints=checkpoints,
        runs=Runs(database, checkpoints, clock),
        downloads=Downloads(blobs, key, clock),
        faults=faults,
        compute=Compute(load, loop),
    )


def _client_flags(text: str) -> dict[str, Any]:
    try:
        flags = json.loads(text)
    except ValueError as error:
        raise UsageError(f"not valid JSON: {error}", where="--client-config") from error
    if not isinstance(flags, dict) or set(flags) - set(CLIENT_CONFIG):
        raise UsageError(f"must be an object with some of: {', '.join(CLIENT_CONFIG)}", where="--client-config")
    return flags


def _sources(model_dirs: Sequence[str]) -> list[ModelSource]:
    sources = [read_source(text) for text in model_dirs]
    if (paths.TINY_MODEL / "config.json").exists():
        sources.append(read_source(f"{paths.TINY_MODEL_NAME}={paths.TINY_MODEL}"))
    if not sources:
        raise UsageError("there is no model to serve", where="--model-dir", next_step="give --model-dir FOLDER")
    return sources


class _Server(uvicorn.Server):
    """uvicorn, which announces the engine when it listens and wakes waiting clients when it stops."""

    def __init__(self, config: uvicorn.Config, engine: Engine, place: StateDir, url: str) -> None:
        super().__init__(config)
        self._engine = engine
        self._place = place
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell others where."""
        await super().startup(sockets)
        self._place.announce(self._url, __version__, self._engine.catalogue.folders)
        logger.info("listening on %s", self._url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Withdraw the announcement, then let clients go."""
        self._place.retract()
        self._engine.promises.stop()
        await super().shutdown(sockets)


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one."""
    listener = socket.create_server((HOST, port))
    # asyncio turns Nagle off only on sockets whose protocol is named, and each answer would wait 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def serve(options: argparse.Namespace, place: StateDir) -> None:
    """Run until a signal asks to stop."""
    loop = asyncio.get_running_loop()
    engine = build_engine(options, place, loop)
    connections = Connections()
    listener = listen(options.port)
    config = uvicorn.Config(
        build_app(engine, FaultActions(engine.faults, connections), options.without),
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    engine.compute.start()
    tidying = loop.create_task(_tidy(engine))
    try:
        await _Server(config, engine, place, f"http://{HOST}:{listener.getsockname()[1]}").serve([listener])
    finally:
        place.retract()
        tidying.cancel()
        # A task in progress may still be about to commit, so the loop keeps turning while the thread ends.
        await asyncio.to_thread(engine.compute.stop, STOP_SECONDS)
        await asyncio.sleep(0)
        engine.runs.flush()
        engine.database.close()


async def _tidy(engine: Engine) -> None:
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        engine.tidy()


def _noted(number: int, frame: FrameType | None) -> None:
    """Let a signal pass: the server has acted on it already."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the engine. Returns the exit status."""
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # uvicorn raises the signal again after its shutdown; this keeps that from killing us before ours.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _noted)
    try:
        asyncio.run(serve(options, StateDir(options.state_dir.expanduser().absolute())))
    except TcaoError as error:
        print(f"{error.title}: {error}", file=sys.stderr)
        if error.next_step:
            print(error.next_step, file=sys.stderr)
        return int(error.exit_code)
    except OSError as error:
        print(f"Failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
