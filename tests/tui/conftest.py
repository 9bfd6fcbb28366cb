from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.fakes.console import FakeConsole

DEADLINE_SECONDS = 10.0


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("NO_COLOR", "COLORFGBG", "TEXTUAL_ANIMATIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    os.environ.pop("TZ", None)
    time.tzset()


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


Until = Callable[[Pilot[Any], Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    async def wait(pilot: Pilot[object], condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the condition never held"
            await pilot.pause(0.01)
        await pilot.pause()

    return wait
