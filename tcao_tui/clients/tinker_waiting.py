"""Why nothing moves: queue states of the server, and outages that the SDK sits out in silence.

The SDK tells its users of a queue only after 15 minutes, by a log line, and of an outage never. Here the training
client's queue observer is ours, the SDK's log lines are read where it takes no observer, and while a request has been
pending for a while the server's refusals are looked at and its health is asked for beside it. Nothing here touches the
requests themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Generator

import httpx
from tinker.lib import queue_state_logger
from tinker.lib.api_future_impl import QueueState, QueueStateObserver

from tcao_tui.clients.tinker_errors import clean
from tcao_tui.clients.tinker_refusals import Refusals
from tcao_tui.domain.events import WaitReason

type OnWaiting = Callable[[WaitReason, bool, str], None]
"""Called with the reason, whether the wait is over, and a detail for people."""

_LOGGERS = (
    "tinker.lib.queue_state_logger",
    "tinker.lib.public_interfaces.sampling_client",
    "tinker.lib.internal_client_holder",
)
_QUIET_SECONDS = 6.0
_PROBE_EVERY_SECONDS = 3.0
_PROBE_TIMEOUT_SECONDS = 5.0
"""Together less than the 15 s within which a wait has to be visible."""


class WaitWatch(QueueStateObserver):
    """Reports waits as they begin and end, each once, on the event loop that made it.

    Args:
        on_waiting: Whom to tell.
        is_healthy: Asks the server whether it is there.
        quiet_seconds: How long a request may be pending, or refused, before it is looked into.
        probe_every_seconds: Pause between two such looks.
    """

    def __init__(
        self,
        on_waiting: OnWaiting,
        is_healthy: Callable[[], Awaitable[bool]],
        *,
        quiet_seconds: float = _QUIET_SECONDS,
        probe_every_seconds: float = _PROBE_EVERY_SECONDS,
    ) -> None:
        self._on_waiting = on_waiting
        self._is_healthy = is_healthy
        self._quiet_seconds = quiet_seconds
        self._probe_every_seconds = probe_every_seconds
        self._loop = asyncio.get_running_loop()
        self._reason: WaitReason | None = None
        self._detail = ""
        self._pending = 0
        self._progress_at = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._handler = _PauseLines(self)
        self._refusals = Refusals()
        self._is_refused = False

    def start(self) -> None:
        """Begin to listen."""
        queue_state_logger.PAUSE_GRACE_PERIOD = 0
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self._handler)
        self._refusals.start()
        self._task = asyncio.create_task(self._look_for_outages(), name="outages")

    async def stop(self) -> None:
        """Stop listening and say that any wait is over."""
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self._handler)
        self._refusals.stop()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._end()

    @contextlib.contextmanager
    def pending(self) -> Generator[None]:
        """Around each wait for the server."""
        if self._pending == 0:
            self._progress_at = time.monotonic()
        self._pending += 1
        try:
            yield
        finally:
            self._pending -= 1
            self._progress_at = time.monotonic()
            if self._reason is not None:
                self._end()

    def on_queue_state_change(self, queue_state: QueueState, queue_state_reason: str | None) -> None:
        """The SDK's call, on its own thread, at each poll of a request."""
        if queue_state is QueueState.ACTIVE and self._reason is None:
            return
        reasons: dict[QueueState, WaitReason] = {
            QueueState.PAUSED_CAPACITY: "capacity",
            QueueState.PAUSED_RATE_LIMIT: "rate_limit",
        }
        if queue_state in reasons:
            self.report(reasons[queue_state], queue_state_reason or "")
        elif queue_state is QueueState.ACTIVE:
            self._call_soon(self._end)

    def report(self, reason: WaitReason, detail: str) -> None:
        """A wait has begun or goes on; from any thread."""
        self._call_soon(self._begin, reason, clean(detail))

    def _call_soon(self, function: Callable[..., None], *arguments: object) -> None:
        # The SDK's thread outlives our loop.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def _begin(self, reason: WaitReason, detail: str) -> None:
        if (reason, detail) == (self._reason, self._detail):
            return
        if reason != self._reason:
            self._end()
        self._reason, self._detail = reason, detail
        self._on_waiting(reason, False, detail)

    def _end(self) -> None:
        if self._reason is not None:
            reason, self._reason, self._detail = self._reason, None, ""
            self._on_waiting(reason, True, "")

    async def _look_for_outages(self) -> None:
        while True:
            await asyncio.sleep(self._probe_every_seconds)
            if not self._look_for_refusals():
                await self._ask_for_health()

    def _look_for_refusals(self) -> bool:
        """Whether something that is being waited for is refused all the time."""
        refusal = self._refusals.lasting(self._quiet_seconds) if self._pending > 0 else None
        if refusal is not None:
            self._begin(refusal.reason, refusal.detail)
        elif self._is_refused:
            self._end()
        self._is_refused = refusal is not None
        return self._is_refused

    async def _ask_for_health(self) -> None:
        is_quiet = self._pending > 0 and time.monotonic() - self._progress_at >= self._quiet_seconds
        if not is_quiet and self._reason != "outage":
            return
        if await self._is_healthy():
            if self._reason == "outage":
                self._end()
        elif self._pending > 0:
            self._begin("outage", "the server does not answer")


class _PauseLines(logging.Handler):
    """Reads the SDK's own words about pauses where it offers nothing else (model creation, sampling, billing)."""

    def __init__(self, watch: WaitWatch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "paused" not in text:
            return
        if "billing" in text:
            self._watch.report("billing", text)
        elif "rate limit" in text or "limit hit" in text:
            self._watch.report("rate_limit", text)
        else:
            self._watch.report("capacity", text)


async def answers_health(base_url: str) -> bool:
    """Whether a server at `base_url` answers its health check at all; one request, no retry."""
    try:
        async with httpx.AsyncClient(timeout=_PROBE_TIMEOUT_SECONDS) as client:
            answer = await client.get(f"{base_url}/api/v1/healthz")
    except (httpx.HTTPError, OSError):
        return False
    return answer.status_code < 500
