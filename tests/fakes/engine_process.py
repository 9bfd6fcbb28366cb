"""A real engine in a process of its own, for tests of everything that talks to one.

Engines are forked from a warm process.
Out of scope: pytest; `tests/engine/conftest.py` has the fixtures. That the engine starts as a program is tested with
`tcao engine start`, in `tests/e2e`.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from tcao_tui.engine.state_dir import start_ticks
from tests.fakes.warm_process import forked

START_SECONDS = 90.0


def serve(command: Sequence[str]) -> int:
    """Be the engine."""
    from tcao_tui.engine.__main__ import main

    return main(command)


class EngineProcess:
    """A running engine that listens (its models may still be loading): `url`, `key`, and ways to end and restart it.

    Args:
        state_dir: Its state directory; the log is written beside it.
        faults: A fault script.
        model_dirs: Further models, `DIR` or `NAME=DIR`.
        options: Further command-line options.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        faults: Path | None = None,
        model_dirs: Sequence[str | Path] = (),
        options: Sequence[str] = (),
    ) -> None:
        self.state_dir = state_dir
        self.log_path = state_dir.with_name(f"{state_dir.name}.log")
        self._command = ["--state-dir", str(state_dir)]
        self._command += [f"--model-dir={directory}" for directory in model_dirs]
        self._command += [] if faults is None else ["--faults", str(faults)]
        self._options = list(options)
        self._env = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
        self.url = ""
        self._start("0")

    def _start(self, port: str) -> None:
        command = [*self._command, *self._options, "--port", port]
        self.process = forked(serve, command, env=self._env, log=self.log_path)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_announced():
            if not self.process.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the engine did not start:\n{self.log()}")
            time.sleep(0.02)
        self.url = json.loads((self.state_dir / "engine.json").read_text())["url"]
        self.key = (self.state_dir / "key").read_text().strip()

    def _is_announced(self) -> bool:
        path = self.state_dir / "engine.json"
        if not path.exists():
            return False
        entry = json.loads(path.read_text())
        return entry["pid"] == self.pid and entry["pid_start_ticks"] == start_ticks(self.pid)

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL, as by the kernel's memory killer."""
        self.process.kill()
        self.wait_dead()

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        if self.process.is_alive():
            os.kill(self.pid, signal.SIGTERM)
        return self.wait_dead()

    def wait_dead(self) -> int:
        """Wait until it has died by itself; returns the exit status, negative for a signal."""
        self.process.join(60)
        assert self.process.exitcode is not None, "the engine did not end"
        return self.process.exitcode

    def restart(self, *, options: Sequence[str] | None = None) -> None:
        """Stop it if it lives, and start it again on the same port, so that clients find it."""
        self.stop()
        if options is not None:
            self._options = list(options)
        self._start(self.url.rpartition(":")[2])
