"""Waiting for a server that is away: a visible countdown, and a limit to patience."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tcao_tui.clients.llm_port import LlmFailure
from tcao_tui.planner.port import Countdown, Streamed

_TRIES_AGAIN = {"garbled": 1, "bad_tool_json": 2}
"""Failures that may pass at once, and how often they are given the chance."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to wait.

    Attributes:
        retries: Attempts after the first while the server is away.
        longest_seconds: Longest wait before an attempt, whatever the server asks for.
        sleep: Waits; tests pass one that does not.
    """

    retries: int
    longest_seconds: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def ask_patiently[T](
    ask: Callable[[], Awaitable[T]],
    patience: Patience,
    stream: Callable[[Streamed], None],
    on_failure: Callable[[LlmFailure], None] = lambda _: None,
) -> T:
    """Ask until there is an answer; cancelling ends a wait at once.

    Args:
        ask: One attempt.
        patience: How often and how long to wait.
        stream: Told the countdown.
        on_failure: Told each failure that is followed by another attempt.

    Raises:
        LlmFailure: The last failure, when waiting does not help or helped too seldom.
    """
    attempt = 0
    while True:
        try:
            return await ask()
        except LlmFailure as failure:
            allowed = patience.retries if failure.kind == "away" else _TRIES_AGAIN.get(failure.kind, 0)
            if attempt >= allowed:
                raise
            on_failure(failure)
            wanted = 2.0**attempt if failure.retry_after_seconds is None else failure.retry_after_seconds
            await _count_down(min(wanted, patience.longest_seconds), failure.what, patience, stream)
        attempt += 1


async def _count_down(seconds: float, why: str, patience: Patience, stream: Callable[[Streamed], None]) -> None:
    try:
        while seconds > 0:
            stream(Countdown(seconds, why))
            await patience.sleep(min(1.0, seconds))
            seconds -= 1.0
    finally:
        stream(Countdown(0.0, why))
