"""A loop of the cookbook as `Advance`: it runs from the present step to the next barrier and no further.

A loop whose batches depend on the newest weights is entered for one update at a time, which costs nothing, since its
sampler is kept between two entries. A loop that samples ahead is entered for the whole segment; when a directive
comes, its next update is refused, and what it had sampled for later updates is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar
from typing import Protocol

from tcao_tui.errors import BackendError
from tcao_tui.methods.loops.client import LoopClient, LoopLeft
from tcao_tui.methods.loops.tap import Tap
from tcao_tui.methods.port import Directive, RunContext

_SEGMENT: ContextVar[object] = ContextVar("segment")
"""Marks every task that a loop starts, whoever starts it, by the segment it belongs to."""

_DOING = "sampling and training"


class Loop(Protocol):
    """A loop of the cookbook with everything but its range bound."""

    async def __call__(self, start: int, end: int) -> None:
        """Apply updates `start + 1` to `end`; each ends with one call of the tap's `log_metrics`."""
        ...


class Segments:
    """An `Advance` by a loop of the cookbook.

    Args:
        context: The worker.
        loop: The loop.
        client: Its training client.
        tap: Its logger.
        ahead: Whether the loop samples ahead of its updates.
    """

    def __init__(self, context: RunContext, loop: Loop, client: LoopClient, tap: Tap, *, ahead: bool) -> None:
        self._context, self._loop, self._client, self._tap, self._ahead = context, loop, client, tap, ahead

    async def advance(self, step: int, barrier: int) -> tuple[int, Directive]:
        """Train up to `barrier`, or until a directive or another cadence came and what was submitted is applied.

        Raises:
            Transient: The server was lost.
            BackendError: It refuses, or nothing of a batch could be sampled.
        """
        self._client.enter()
        return await (self._sampling_ahead if self._ahead else self._one_by_one)(step, barrier)

    async def _one_by_one(self, step: int, barrier: int) -> tuple[int, Directive]:
        asked = Directive.CONTINUE
        while step < barrier and asked is Directive.CONTINUE and not self._client.leaving:
            await self._enter(step, step + 1)
            step = self._client.step
            asked = await self._context.directive()
        return step, asked

    async def _sampling_ahead(self, step: int, barrier: int) -> tuple[int, Directive]:
        watcher = asyncio.create_task(self._watch(), name="directives")
        try:
            await self._enter(step, barrier)
            if watcher.done():
                return self._client.step, watcher.result()
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        return self._client.step, await self._context.directive()

    async def _watch(self) -> Directive:
        """Ask after every update; what is asked for keeps the next one from beginning."""
        stepped = asyncio.Event()
        self._tap.on_step = stepped.set
        asked = Directive.CONTINUE
        while asked is Directive.CONTINUE:
            await stepped.wait()
            stepped.clear()
            asked = await self._context.directive()
        self._client.leaving = True
        return asked

    async def _enter(self, start: int, end: int) -> None:
        self._tap.begin()
        mark = object()
        token = _SEGMENT.set(mark)
        try:
            with self._context.backend.calling(_DOING), contextlib.suppress(LoopLeft):
                await self._loop(start, end)
        finally:
            _SEGMENT.reset(token)
            await _end_tasks(mark)
        if self._client.step == start:
            raise BackendError(
                f"no answer of update {start + 1} could be sampled",
                next_step="see worker.log; an environment that may fail must catch its errors",
            )


async def _end_tasks(mark: object) -> None:
    """End what a loop left running when it failed or was cancelled."""
    left = [task for task in asyncio.all_tasks() if task.get_context().get(_SEGMENT) is mark]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
