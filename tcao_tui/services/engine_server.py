"""The local engine as a process: start, stop, status. It is found by `engine.json` in its state directory.

The server itself is `tcao_tui.engine`; nothing of it, nor the Tinker SDK, is imported here.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tcao_tui.errors import BackendError, ExitCode
from tcao_tui.services.detached import ProcessIdentity, exit_status, spawn

START_SECONDS = 90.0
"""How long a start may take: the server answers in about a second, a cold disk can take much longer."""

STOP_SECONDS = 15.0
_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 5.0
_LOG_TAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What is known of the engine of one state directory.

    Attributes:
        url: Its address; None when no engine process runs.
        answers: Whether it answered the health check.
        models: Names of the models it serves; empty when it did not say.
        model_dirs: Their folders by name, as far as it announced them.
        checkpoints: How many checkpoints it keeps; None when it did not say.
    """

    state_dir: Path
    url: str | None = None
    pid: int | None = None
    version: str = ""
    uptime_seconds: float | None = None
    answers: bool = False
    models: tuple[str, ...] = ()
    model_dirs: Mapping[str, Path] = field(default_factory=dict[str, Path])
    checkpoints: int | None = None


def log_path(state_dir: Path) -> Path:
    """Where a detached engine writes."""
    return state_dir / "engine.log"


def read_key(state_dir: Path) -> str:
    """The key that the engine asks for. Raises `BackendError` when there is none."""
    try:
        return (state_dir / "key").read_text(encoding="ascii").strip()
    except OSError as error:
        raise BackendError(
            "the local engine has no key", where=str(state_dir), next_step="tcao engine start"
        ) from error


def start(
    state_dir: Path,
    *,
    model_dir: Path | None = None,
    faults: Path | None = None,
    without: str = "",
    environ: Mapping[str, str] | None = None,
    timeout_seconds: float = START_SECONDS,
) -> EngineStatus:
    """Make sure that an engine answers, starting one when none runs.

    Args:
        state_dir: Its place on disk; created when missing.
        model_dir: A further Hugging Face model to serve.
        faults: Script of faults to inject.
        without: Features that it shall not offer, with commas between them.
        environ: Environment of the engine; None for ours.
        timeout_seconds: How long to wait for it.

    Raises:
        BackendError: It ended or did not answer in time; carries the end of its log.
    """
    running = status(state_dir)
    if running.answers:
        return running
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    argv = engine_command(
        state_dir, port=free_last_port(state_dir), model_dir=model_dir, faults=faults, without=without
    )
    before = log_path(state_dir).stat().st_size if log_path(state_dir).exists() else 0
    pid = spawn(argv, log_file=log_path(state_dir), environ=os.environ if environ is None else environ)
    deadline, ended = time.monotonic() + timeout_seconds, None
    while time.monotonic() < deadline:
        ended = exit_status(pid) if ended is None else ended
        found = status(state_dir)
        if found.answers:
            (state_dir / "port").write_text(f"{urlsplit(found.url or '').port}\n", encoding="ascii")
            return found
        # Another console may have started one at the same moment: ours is refused and theirs serves both.
        if ended is not None and ended != ExitCode.REFUSED and found.url is None:
            raise _start_failed(f"the engine ended with code {ended}", state_dir, before)
        time.sleep(_POLL_SECONDS)
    raise _start_failed(f"the engine did not answer within {timeout_seconds:.0f} s", state_dir, before)


def engine_command(
    state_dir: Path, *, port: int = 0, model_dir: Path | None = None, faults: Path | None = None, without: str = ""
) -> list[str]:
    """Command line of an engine on `state_dir`; port 0 takes a free one."""
    argv = [sys.executable, "-m", "tcao_tui.engine", "--state-dir", str(state_dir), "--port", str(port)]
    argv += ["--model-dir", str(model_dir)] if model_dir else []
    argv += ["--without", without] if without else []
    return [*argv, *(["--faults", str(faults)] if faults else [])]


def free_last_port(state_dir: Path) -> int:
    """The port of the engine before, when it is free; 0 otherwise.

    A worker that waits out a restart asks the address it knows; at another one it would find the engine minutes later.
    """
    try:
        port = int((state_dir / "port").read_text(encoding="ascii"))
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", port))
    except (OSError, ValueError, OverflowError):
        return 0
    return port


def _start_failed(what: str, state_dir: Path, log_offset: int) -> BackendError:
    with log_path(state_dir).open("rb") as log:
        log.seek(log_offset)
        tail = log.read().decode("utf-8", "replace").splitlines()[-_LOG_TAIL_LINES:]
    text = "\n".join([what, *(f"  | {line}" for line in tail)])
    return BackendError(text, where=str(log_path(state_dir)), next_step="tcao engine serve shows it in the foreground")


def stop(state_dir: Path, *, timeout_seconds: float = STOP_SECONDS) -> bool:
    """End the engine and wait until it is gone; False when none ran. Raises `BackendError` when it stays."""
    process = _process(_announced(state_dir))
    if process is None or not process.terminate():
        return False
    deadline = time.monotonic() + timeout_seconds
    while process.is_alive:
        if time.monotonic() > deadline:
            raise BackendError(
                f"the engine (pid {process.pid}) did not end within {timeout_seconds:.0f} s",
                where=str(log_path(state_dir)),
                next_step=f"kill -9 {process.pid}",
            )
        exit_status(process.pid)
        time.sleep(_POLL_SECONDS)
    return True


def status(state_dir: Path) -> EngineStatus:
    """Ask the process table and, when it runs, the engine itself."""
    entry = _announced(state_dir)
    process = _process(entry)
    if process is None or not process.is_alive:
        return EngineStatus(state_dir)
    url = str(entry["url"])
    answers = _get(url, "/api/v1/healthz", state_dir) is not None
    return EngineStatus(
        state_dir=state_dir,
        url=url,
        pid=process.pid,
        version=str(entry.get("version", "")),
        uptime_seconds=process.uptime_seconds(),
        answers=answers,
        models=_models(url, state_dir) if answers else (),
        model_dirs=_model_dirs(entry),
        checkpoints=_checkpoint_count(url, state_dir) if answers else None,
    )


def _announced(state_dir: Path) -> dict[str, Any]:
    try:
        entry: Any = json.loads((state_dir / "engine.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entry if isinstance(entry, dict) and "url" in entry else {}


def _process(entry: dict[str, Any]) -> ProcessIdentity | None:
    pid, ticks = entry.get("pid"), entry.get("pid_start_ticks")
    return ProcessIdentity(pid, ticks if isinstance(ticks, int) else None) if isinstance(pid, int) else None


def _models(url: str, state_dir: Path) -> tuple[str, ...]:
    answer = _get(url, "/api/v1/get_server_capabilities", state_dir) or {}
    return tuple(str(model.get("model_name")) for model in answer.get("supported_models", []))


def _model_dirs(entry: dict[str, Any]) -> dict[str, Path]:
    announced: Any = entry.get("model_dirs")
    return {str(name): Path(str(folder)) for name, folder in announced.items()} if isinstance(announced, dict) else {}


def _checkpoint_count(url: str, state_dir: Path) -> int | None:
    answer = _get(url, "/api/v1/checkpoints?limit=1", state_dir) or {}
    total = answer.get("cursor", {}).get("total_count")
    return total if isinstance(total, int) else None


def _get(url: str, path: str, state_dir: Path) -> dict[str, Any] | None:
    """The JSON object that the engine answers, or None when it does not."""
    place = urlsplit(url)
    link = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=_ANSWER_SECONDS)
    try:
        link.request("GET", path, headers={"X-API-Key": read_key(state_dir)})
        answer = link.getresponse()
        body: Any = json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError, BackendError):
        return None
    finally:
        link.close()
    return body if isinstance(body, dict) else None
