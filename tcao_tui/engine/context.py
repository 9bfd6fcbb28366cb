"""The parts of one running engine, and how accepted work travels: lane, compute thread, commit, promise.

A result is committed on the event loop (rows written, durable) before its promise is fulfilled. Out of scope: HTTP
(`app.py`, `routes_*.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tcao_tui.engine.api_errors import ApiError, WorkFailed
from tcao_tui.engine.catalogue import Catalogue
from tcao_tui.engine.checkpoints import CheckpointPath, Checkpoints
from tcao_tui.engine.compute import Compute, Lane, SampleTask, Task
from tcao_tui.engine.downloads import Downloads
from tcao_tui.engine.faults import Faults
from tcao_tui.engine.futures import Payload, Promise, Promises
from tcao_tui.engine.runs import Run, Runs
from tcao_tui.engine.samplers import Samplers
from tcao_tui.engine.sessions import Sessions
from tcao_tui.engine.storage import BlobStore, Database

if TYPE_CHECKING:
    from tcao_tui.engine.backend import Backend
    from tcao_tui.engine.sampler import SampleCall

logger = logging.getLogger(__name__)

Commit = Callable[[Any], Payload]


@dataclass
class Engine:
    """Everything a request handler may use. Event-loop thread only."""

    key: str
    client_config: dict[str, Any]
    catalogue: Catalogue
    database: Database
    blobs: BlobStore
    sessions: Sessions
    samplers: Samplers
    checkpoints: Checkpoints
    runs: Runs
    downloads: Downloads
    faults: Faults
    compute: Compute
    promises: Promises = field(default_factory=Promises)
    lanes: dict[str, Lane] = field(default_factory=dict)
    reserved: set[CheckpointPath] = field(default_factory=set)
    sample_tasks: dict[str, SampleTask] = field(default_factory=dict)

    def submit_training(
        self, run_id: str, seq_id: int | None, prepare: Callable[[Run], tuple[Callable[[Backend], Any], Commit]]
    ) -> Promise:
        """Accept a request of a run's sequence; a repeated one gets the promise of the first.

        Args:
            run_id: The run.
            seq_id: Its place in the sequence, from 1.
            prepare: Checks the request and says what to compute and how to commit the result.

        Returns:
            The promise of the result.

        Raises:
            ApiError: 404 unknown run, 410 its session has ended or its weights are lost, or what `prepare` refuses.
        """
        run = self.runs.get(run_id)
        self.sessions.require_active(run.session_id)
        lane = self.lanes.get(run_id)
        if lane is None:
            raise ApiError(
                410,
                f"the weights of {run_id} are no longer in memory (the engine was restarted); "
                "create a training client from a saved checkpoint",
            )
        if seq_id is None or seq_id < 1:
            raise ApiError(400, "seq_id must be at least 1")
        promise_id = f"{run_id}:{seq_id}"
        if (known := self.promises.find(promise_id)) is not None:
            return known
        self.runs.touch(run_id)
        try:
            work, commit = prepare(run)
        except ApiError:
            # The client goes on with the next number, so a refused one must not block the lane.
            lane.enter(seq_id, _nothing)
            raise
        promise = self.promises.create(promise_id, run.session_id)
        task = Task(work, lambda outcome: self.settle(promise, outcome, commit))
        lane.enter(seq_id, lambda: self.compute.submit(task))
        return promise

    def submit_creation(self, run: Run, work: Callable[[Backend], None], commit: Commit) -> Promise:
        """Accept the request that puts a run into memory: number 0 of its sequence."""
        promise_id = f"{run.id}:0"
        if (known := self.promises.find(promise_id)) is not None:
            return known
        promise = self.promises.create(promise_id, run.session_id)

        def opened(outcome: object) -> Payload:
            self.lanes[run.id] = Lane()
            return commit(outcome)

        self.submit_task(promise, work, opened)
        return promise

    def submit_task(self, promise: Promise, work: Callable[[Backend], Any], commit: Commit) -> None:
        """Queue work that belongs to no sequence."""
        self.compute.submit(Task(work, lambda outcome: self.settle(promise, outcome, commit)))

    def submit_sample(self, promise: Promise, base_model: str, blob: str | None, call: SampleCall) -> None:
        """Queue a sample request under a promise."""

        def finish(outcome: object) -> None:
            self.sample_tasks.pop(promise.id, None)
            self.settle(promise, outcome, _as_is)

        task = self.sample_tasks[promise.id] = SampleTask(base_model, blob, call, finish)
        self.compute.submit(task)

    def settle(self, promise: Promise, outcome: object, commit: Commit) -> None:
        """Commit an outcome and fulfil, or fail, its promise."""
        if isinstance(outcome, WorkFailed):
            self.promises.fail(promise, str(outcome), "user" if outcome.category == "user" else "server")
        elif isinstance(outcome, ApiError):
            self.promises.fail(promise, outcome.detail, "user")
        elif isinstance(outcome, BaseException):
            self.promises.fail(promise, f"the engine failed: {type(outcome).__name__}: {outcome}", "server")
        else:
            self.promises.resolve(promise, commit(outcome))

    def end_session(self, session_id: str) -> None:
        """Let go of what an ended session held: weights in memory, ephemeral samplers, open promises."""
        self.promises.fail_session(session_id, f"session {session_id} has ended")
        for run_id in [known for known in self.lanes if known.startswith(f"{session_id}:")]:
            del self.lanes[run_id]
            self.compute.submit(Task(lambda backend, run_id=run_id: backend.unload(run_id), _ignored))
        self.samplers.drop_ephemeral(session_id)
        self.discard_unused_blobs()

    def discard_unused_blobs(self, *blobs: str) -> None:
        """Remove these blobs, or after a session's end those nobody names, from disk."""
        in_use = self.database.blobs_in_use()
        for blob in blobs or self.samplers.take_dropped():
            self.blobs.discard(blob, in_use)

    def tidy(self) -> None:
        """What has to be done every second: expiry of sessions and checkpoints, old promises, request times."""
        for session_id in self.sessions.expire_silent():
            logger.info("session %s went silent and was ended", session_id)
            self.end_session(session_id)
        if expired := self.checkpoints.remove_expired():
            self.discard_unused_blobs(*expired)
        self.promises.forget_old()
        self.runs.flush()


def _nothing() -> None:
    """Take a turn in a lane without doing anything."""


def _ignored(outcome: object) -> None:
    """Finish a task nobody waits for."""


def _as_is(payload: Payload) -> Payload:
    """Commit a result that leaves no trace."""
    return payload
