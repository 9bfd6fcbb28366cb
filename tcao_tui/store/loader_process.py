"""Starts and watches the helper process that fills a column cache (`column_loader`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from enum import Enum


class LoaderState(Enum):
    """Where the helper is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class LoaderProcess:
    """One run of the column loader; it reads on when its console is busy and ends by itself.

    Args:
        arguments: Command line of `column_loader`, without the program.

    Attributes:
        done: Share of the work that is done, 0 to 1, as the helper last said.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.done = 0.0
        command = [sys.executable, "-m", "tcao_tui.store.column_loader", *arguments]
        # one thread is all it needs, and numpy's pool would cost start-up time and memory
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        if self._process.stdout is not None:
            os.set_blocking(self._process.stdout.fileno(), False)

    @property
    def pid(self) -> int:
        """The helper's process id."""
        return self._process.pid

    def poll(self) -> LoaderState:
        """Take in what the helper said; never waits."""
        code = self._process.poll()
        self._listen()
        if code is None:
            return LoaderState.RUNNING
        return LoaderState.DONE if code == 0 else LoaderState.FAILED

    def close(self) -> None:
        """End the helper if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _listen(self) -> None:
        said = self._process.stdout.read() if self._process.stdout is not None else None
        lines = (said or b"").splitlines()
        if lines:
            try:
                self.done = float(json.loads(lines[-1])["done"])
            except (ValueError, KeyError, TypeError):
                return
