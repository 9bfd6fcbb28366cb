"""The real worker on the real engine, as a forked process runs it, with an SDK whose waits can be shortened.

SDK_CLOCK_RATE makes the clock run faster by which the SDK gives up, and SDK_TIMEOUT_SECONDS shortens its wait for an
answer.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Sequence
from typing import Any

from tcao_tui.worker.__main__ import worker_main


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


def work(arguments: Sequence[str]) -> int:
    """Carry a run out, and be gone at its end as the worker's own program is."""
    hurry_the_sdk()
    os._exit(worker_main(arguments))
