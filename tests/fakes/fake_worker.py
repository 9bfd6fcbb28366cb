"""The real worker on the fake server: `python -m tests.fakes.fake_worker --runs-root DIR RUN_ID`, or `--zygote`.

The server's file is named by FAKE_TINKER. A zygote imports once and forks for each line of its input; with `--real` it
imports the SDK and torch, and its children are the real worker on the real engine. SDK_CLOCK_RATE then makes the clock
run faster by which the SDK gives up, and SDK_TIMEOUT_SECONDS shortens its wait for an answer.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tcao_tui.methods import METHODS
from tcao_tui.store.run_dir import Mirror, RunDir
from tcao_tui.worker.__main__ import worker_main
from tcao_tui.worker.runner import Parts, Timing
from tcao_tui.worker.side_effects import SideEffects
from tests.fakes.fake_tinker import FakeConnector, FakeServer
from tests.fakes.toy_method import toy_method

HEAVY = ("tinker", "torch", "transformers", "tcao_tui.clients.tinker_sdk")


def fake_parts(profile_name: str) -> Parts:
    effects = SideEffects.from_environ(os.environ)
    server = FakeServer(Path(os.environ["FAKE_TINKER"]))
    timing = Timing(
        heartbeat_seconds=float(os.environ.get("FAKE_HEARTBEAT", "0.05")),
        health_seconds=0.02,
        poll_seconds=0.01,
        retry_seconds=0.02,
        stuck_seconds=2.0,
        grace_seconds=float(os.environ.get("FAKE_GRACE", "5")),
    )
    return Parts(
        FakeConnector(server, effects),
        lambda _: toy_method,
        effects,
        lambda root, run_id: Mirror(RunDir(root, run_id)),
        timing,
    )


class FastClock:
    """The SDK's `time` module, whose wall clock runs `rate` times as fast."""

    def __init__(self, rate: float) -> None:
        self._rate, self._start = rate, time.time()

    def time(self) -> float:
        return self._start + (time.time() - self._start) * self._rate

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def hurry_the_sdk() -> None:
    """Shorten what the SDK waits for, as the environment says; what it does then stays its own."""
    if rate := os.environ.get("SDK_CLOCK_RATE"):
        holder: Any = importlib.import_module("tinker.lib.internal_client_holder")
        holder.time = FastClock(float(rate))
    if seconds := os.environ.get("SDK_TIMEOUT_SECONDS"):
        base_client: Any = importlib.import_module("tinker._base_client")
        base_client.DEFAULT_TIMEOUT = float(seconds)


def zygote(real: bool) -> None:
    for module in HEAVY if real else ("tcao_tui.worker.hand_off", "tcao_tui.store.sqlite"):
        importlib.import_module(module)
    for method in METHODS.names() if real else ():
        METHODS.load(method)
    print("ready", flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            os.environ.update(told["env"])
            log = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            if real:
                hurry_the_sdk()
            code = worker_main(told["arguments"], None if real else fake_parts)
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    if "--zygote" in sys.argv:
        zygote("--real" in sys.argv)
    else:
        os._exit(worker_main(sys.argv[1:], fake_parts))
