"""One thread that does all the computing, so that the event loop always answers.

Tasks run in the order they were submitted, except that sample requests for the same weights are taken together. The
training requests of one run are held back until their turn (`Lane`), because the SDK sends the chunks of one batch in
any order. Out of scope: what the tasks do (`backend.py`).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tcao_tui.engine.futures import attempt

if TYPE_CHECKING:
    from tcao_tui.engine.backend import Backend
    from tcao_tui.engine.futures import Payload
    from tcao_tui.engine.sampler import SampleCall

MAX_SAMPLES_AT_ONCE = 256
"""Sequences that are generated together."""

type Outcome = object
"""What a task returned, or the exception that it raised."""


@dataclass(frozen=True, eq=False)
class Task:
    """Work for the compute thread; `finish` is called on the event loop with the outcome."""

    work: Callable[[Backend], Any]
    finish: Callable[[Outcome], None]


@dataclass(frozen=True, eq=False)
class SampleTask:
    """A sample request; tasks with equal `base_model` and `blob` may run together."""

    base_model: str
    blob: str | None
    call: SampleCall
    finish: Callable[[Payload | BaseException], None]


class Compute:
    """The compute thread and its queue.

    Args:
        load: Makes the backend; runs in the thread, takes seconds.
        loop: Where `finish` callbacks run.
    """

    def __init__(self, load: Callable[[], Backend], loop: asyncio.AbstractEventLoop) -> None:
        self._load = load
        self._loop = loop
        self._queue: deque[Task | SampleTask] = deque()
        self._filled = threading.Condition()
        self._stopping = False
        self._loaded: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._run, name="compute", daemon=True)

    def start(self) -> None:
        """Begin loading."""
        self._thread.start()

    async def ready(self) -> None:
        """Wait until the models are loaded. Raises what loading raised."""
        await asyncio.shield(self._loaded)

    @property
    def is_ready(self) -> bool:
        """Whether the models are loaded."""
        return self._loaded.done() and self._loaded.exception() is None

    def submit(self, task: Task | SampleTask) -> None:
        """Queue a task; from the event loop."""
        with self._filled:
            self._queue.append(task)
            self._filled.notify()

    def withdraw(self, task: SampleTask) -> bool:
        """Take back a task that has not begun. Returns whether it had not."""
        with self._filled:
            if task in self._queue:
                self._queue.remove(task)
                return True
        return False

    def stop(self, timeout_seconds: float) -> None:
        """Let the current task end and join the thread."""
        with self._filled:
            self._stopping = True
            self._filled.notify()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        backend: Any = attempt(self._load)
        if isinstance(backend, BaseException):
            self._report(self._loaded.set_exception, backend)
            return
        self._report(self._loaded.set_result, None)
        while (tasks := self._take()) is not None:
            if isinstance(tasks, Task):
                self._do(tasks, backend)
            else:
                self._sample(tasks, backend)

    def _take(self) -> Task | list[SampleTask] | None:
        with self._filled:
            while not self._queue and not self._stopping:
                self._filled.wait()
            if self._stopping:
                return None
            first = self._queue.popleft()
            if isinstance(first, Task):
                return first
            together, samples = [first], first.call.num_samples
            for task in list(self._queue):
                if not isinstance(task, SampleTask) or (task.base_model, task.blob) != (first.base_model, first.blob):
                    continue
                samples += task.call.num_samples
                if samples > MAX_SAMPLES_AT_ONCE:
                    break
                together.append(task)
                self._queue.remove(task)
            return together

    def _do(self, task: Task, backend: Backend) -> None:
        self._report(task.finish, attempt(lambda: task.work(backend)))

    def _sample(self, tasks: list[SampleTask], backend: Backend) -> None:
        first = tasks[0]
        calls = [task.call for task in tasks]
        answers: Any = attempt(lambda: backend.sample(first.base_model, first.blob, calls))
        outcomes = [answers] * len(tasks) if isinstance(answers, BaseException) else answers
        for task, outcome in zip(tasks, outcomes, strict=True):
            self._report(task.finish, outcome)

    def _report(self, callback: Callable[[Any], None], outcome: Outcome) -> None:
        # The loop is closed when the engine is stopped in the middle of a task; nobody waits for it then.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, outcome)


@dataclass
class Lane:
    """The training requests of one run, released in the order of their sequence numbers.

    `next_seq` starts at 1: creating the model is request 0.
    """

    next_seq: int = 1
    _waiting: dict[int, Callable[[], None]] = field(default_factory=dict)

    def enter(self, seq_id: int, release: Callable[[], None]) -> None:
        """Call `release` when all smaller numbers have been released."""
        self._waiting[seq_id] = release
        while (turn := self._waiting.pop(self.next_seq, None)) is not None:
            self.next_seq += 1
            turn()
