"""Promises: work that was accepted and whose result the client fetches later, and per-sampler completion queues.

Promises live in memory: after a restart their ids are unknown and answer 410, which the SDK reads as "promise broken".
Used from the event loop's thread only. Out of scope: doing the work (`compute.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tcao_tui.engine.api_errors import ApiError, WorkFailed

logger = logging.getLogger(__name__)

KEPT_SECONDS = 600.0
"""How long a finished promise can still be fetched (again)."""

Category = Literal["user", "server", "unknown"]


@dataclass(frozen=True)
class Payload:
    """A result: plain JSON, or a protobuf message whose JSON form the SDK no longer reads."""

    body: dict[str, Any] | None = None
    proto: bytes | None = None
    proto_type: Literal["forward_backward", "sample"] = "forward_backward"


@dataclass
class Promise:
    """One accepted request."""

    id: str
    session_id: str
    done: asyncio.Event = field(default_factory=asyncio.Event)
    payload: Payload | None = None
    error: str | None = None
    category: Category = "unknown"
    finished_at: float = 0.0
    when_done: list[Callable[[], None]] = field(default_factory=list)


@dataclass
class _Completions:
    """Finished requests of one client of one sampler, oldest first, each under a growing cursor."""

    entries: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    last_cursor: int = 0
    grown: asyncio.Event = field(default_factory=asyncio.Event)


def attempt(work: Callable[[], object]) -> object:
    """Carry out accepted work; what it raises is the outcome, so that no request can end the compute thread."""
    try:
        return work()
    except WorkFailed as error:
        return error
    except Exception as error:
        logger.exception("the compute thread could not finish its work")
        return error


class Promises:
    """All promises of this process."""

    def __init__(self) -> None:
        self._promises: dict[str, Promise] = {}
        self._completions: dict[tuple[str, int], _Completions] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let no request wait any longer; those that do get 503, which the SDK retries."""
        self._stopping.set()

    async def _wait_for(self, event: asyncio.Event, seconds: float) -> None:
        """Wait until the event, the engine's stop (503), or the time is over."""
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._stopping.is_set() and not event.is_set():
            raise ApiError(503, "the engine is stopping")

    def find(self, promise_id: str) -> Promise | None:
        """The promise of this id if it is still known; a repeated submit gets it again."""
        return self._promises.get(promise_id)

    def create(self, promise_id: str, session_id: str) -> Promise:
        """A new unfinished promise."""
        promise = Promise(promise_id, session_id)
        self._promises[promise_id] = promise
        return promise

    def resolve(self, promise: Promise, payload: Payload) -> None:
        """Finish with a result. A promise that has ended already stays as it is."""
        if not promise.done.is_set():
            promise.payload = payload
            self._finish(promise)

    def fail(self, promise: Promise, error: str, category: Category) -> None:
        """Finish with an error. A promise that has ended already stays as it is."""
        if not promise.done.is_set():
            promise.error, promise.category = error, category
            self._finish(promise)

    def _finish(self, promise: Promise) -> None:
        promise.finished_at = time.monotonic()
        promise.done.set()
        for callback in promise.when_done:
            callback()

    async def wait(self, promise_id: str, seconds: float) -> Promise:
        """The promise, finished or not, after at most `seconds`.

        Raises:
            ApiError: 410, the id is not known (any more).
        """
        promise = self._promises.get(promise_id)
        if promise is None:
            raise ApiError(410, "this request is not known: it was fetched long ago, or the engine was restarted")
        if not promise.done.is_set():
            await self._wait_for(promise.done, seconds)
        return promise

    def fail_session(self, session_id: str, error: str) -> None:
        """Fail what a session still waits for."""
        for promise in self._promises.values():
            if promise.session_id == session_id:
                self.fail(promise, error, "user")

    def forget_old(self) -> None:
        """Drop what has been finished for longer than `KEPT_SECONDS`."""
        limit = time.monotonic() - KEPT_SECONDS
        old = [key for key, promise in self._promises.items() if promise.done.is_set() and promise.finished_at < limit]
        for key in old:
            del self._promises[key]

    def report_completion(self, sampler_id: str, client: int, promise: Promise) -> None:
        """Queue a finished promise for the client's next `retrieve_futures`."""
        queue = self._completions.setdefault((sampler_id, client), _Completions())
        queue.last_cursor += 1
        entry: dict[str, Any] = {"state": "failed" if promise.error else "finished", "request_id": promise.id}
        if promise.payload is not None and promise.payload.proto is not None:
            entry["response_payload_uncompressed_size"] = len(promise.payload.proto)
        queue.entries.append((queue.last_cursor, entry))
        queue.grown.set()

    async def completions(self, sampler_id: str, client: int, after: int, seconds: float) -> dict[str, Any]:
        """Completions after a cursor, as `FuturesRetrieveResponse`; waits for the first one at most `seconds`.

        Raises:
            ApiError: 410, the cursor comes from before a restart.
        """
        queue = self._completions.setdefault((sampler_id, client), _Completions())
        if after > queue.last_cursor:
            raise ApiError(410, "this cursor is not known: the engine was restarted")
        queue.entries = [entry for entry in queue.entries if entry[0] > after]
        if not queue.entries:
            queue.grown.clear()
            await self._wait_for(queue.grown, seconds)
        return {"completions": [entry for _, entry in queue.entries], "cursor": queue.last_cursor}
