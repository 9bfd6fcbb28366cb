"""The real worker on the fake server: `python -m tests.fakes.fake_worker --runs-root DIR RUN_ID`, or `--zygote`.

The server's file is named by FAKE_TINKER. A zygote imports once and forks for each line of its input.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from tcao_tui.store.run_dir import Mirror, RunDir
from tcao_tui.worker.__main__ import worker_main
from tcao_tui.worker.runner import Parts, Timing
from tcao_tui.worker.side_effects import SideEffects
from tests.fakes.fake_tinker import FakeConnector, FakeServer
from tests.fakes.toy_method import toy_method


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


def zygote() -> None:
    for module in ("tcao_tui.worker.hand_off", "tcao_tui.store.sqlite"):
        importlib.import_module(module)
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
            os._exit(worker_main(told["arguments"], fake_parts))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    if "--zygote" in sys.argv:
        zygote()
    else:
        os._exit(worker_main(sys.argv[1:], fake_parts))
