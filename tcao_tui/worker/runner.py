"""Carries a run out: attempts from checkpoint to checkpoint, until it is done, stopped, or nothing gets better.

Taking the run (lock, plan, approval) is `worker.hand_off`; what a method may do is `worker.context`.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tcao_tui.clients.tinker_port import Outage, Transient
from tcao_tui.domain.checkpoints import RUN_KEY
from tcao_tui.domain.events import Finished, LogLine, PhaseChanged, WaitReason
from tcao_tui.domain.pipeline import total_steps
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.run_view import HEARTBEAT_SECONDS
from tcao_tui.errors import BackendError, ExitCode, TcaoError
from tcao_tui.methods.port import Method
from tcao_tui.store.estimate_file import read_estimate
from tcao_tui.store.port import Fenced
from tcao_tui.worker.checkpointing import Checkpoints
from tcao_tui.worker.connect import Connector
from tcao_tui.worker.context import WorkerContext
from tcao_tui.worker.heartbeat import HEALTH_SECONDS, Grace, Heartbeat, OutageWatch, Waits, leave_to_successor
from tcao_tui.worker.inbox import POLL_SECONDS, Inbox
from tcao_tui.worker.journal import Journal, MirrorPort, StorageFailed
from tcao_tui.worker.numbered_backend import NumberedBackend
from tcao_tui.worker.ranging import carry_out
from tcao_tui.worker.retries import FIRST_SECONDS, FUTILE_ATTEMPTS, Retries
from tcao_tui.worker.side_effects import SideEffects
from tcao_tui.worker.stopping import StopFlag
from tcao_tui.worker.watch import Watch

CLOSE_SECONDS = 5.0
HURRIED_CLOSE_SECONDS = 2.0
"""How long the server may take to hear how the session ended; less when a signal gave the worker only its grace."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """All waits of a worker, seconds.

    Attributes:
        stuck_seconds: How long a method may take to obey a stop before it is cancelled.
        grace_seconds: How long a signalled worker may take to end; containers give 10 s.
    """

    heartbeat_seconds: float = HEARTBEAT_SECONDS
    health_seconds: float = HEALTH_SECONDS
    poll_seconds: float = POLL_SECONDS
    retry_seconds: float = FIRST_SECONDS
    futile_attempts: int = FUTILE_ATTEMPTS
    stuck_seconds: float = 120.0
    grace_seconds: float = 8.0

    def patience_seconds(self, *, signalled: bool) -> float:
        """How long a method may take to obey: after a signal, what the grace leaves beside closing the session."""
        return self.grace_seconds * 0.6 if signalled else self.stuck_seconds


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker is put together from; tests put in fakes."""

    connector: Connector
    load_method: Callable[[str], Method]
    effects: SideEffects
    open_mirror: Callable[[Path, str], MirrorPort]
    timing: Timing = field(default_factory=Timing)
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class Worker:
    """One process's work on one run, whose lock it holds and whose `Launched` is committed.

    Args:
        run_id: The run.
        run_dir: Its directory.
        plan: The approved plan.
        quote: The prices it was approved at.
        journal: Commits.
        inbox: What people want.
        parts: Everything from outside.
        relaunch: Opens the next attempt: raises the fence and commits `Launched`.
    """

    def __init__(
        self,
        *,
        run_id: str,
        run_dir: Path,
        plan: Plan,
        quote: PriceQuote,
        journal: Journal,
        inbox: Inbox,
        parts: Parts,
        relaunch: Callable[[], None],
    ) -> None:
        self._run_id, self._run_dir, self._plan, self._quote = run_id, run_dir, plan, quote
        self._journal, self._inbox, self._parts, self._relaunch = journal, inbox, parts, relaunch
        self._stop: StopFlag = inbox.stop
        self._waits = Waits(journal)
        self._lost_paths: set[str] = set()
        self._in_method = False
        self._refused = ""

    def run(self) -> int:
        """Work until there is nothing left to do; returns the exit code, and has said it in a `Finished` event."""
        timing = self._parts.timing
        threads = (
            Heartbeat(self._journal, timing.heartbeat_seconds),
            OutageWatch(self._ailing, self._waits, timing.health_seconds),
            Grace(self._journal, self._stop, timing.grace_seconds),
        )
        for thread in threads:
            thread.start()
        try:
            finished = asyncio.run(self._carry_out())
            self._say_finished(finished)
            return finished.exit_code
        except Fenced:
            leave_to_successor()
        except StorageFailed as error:
            return self._storage_failed(error)
        finally:
            for thread in threads:
                thread.end()

    async def _carry_out(self) -> Finished:
        try:
            with self._parts.effects.point("engine.prepare"):
                await asyncio.to_thread(self._parts.connector.prepare)
            return await self._attempts()
        except (Fenced, StorageFailed):
            raise
        except TcaoError as error:
            return failed(error, self._run_id)
        except Exception as error:
            _logger.exception("the worker failed")
            what = f"the worker failed unexpectedly: {type(error).__name__}: {error}"
            return failed(TcaoError(what, where="worker.log"), self._run_id)

    async def _attempts(self) -> Finished:
        timing = self._parts.timing
        retries = Retries(
            self._parts.monotonic, first_seconds=timing.retry_seconds, futile_attempts=timing.futile_attempts
        )
        furthest = 0
        while True:
            try:
                if not await self._obeying(self._attempt()):
                    return self._stopped()
                return self._ended()
            except Transient as error:
                wait_seconds = retries.wait_seconds(
                    progressed=self._journal.progress > furthest, outage=await self._is_outage(error)
                )
                furthest = max(furthest, self._journal.progress)
                if wait_seconds is None:
                    return failed(BackendError(f"nothing gets better: {error.what}", where=error.where), self._run_id)
                said = f"{error.what}; going on from the last checkpoint"
                self._journal.commit(LogLine(level="warning", message=said))
                why = error.what if isinstance(error, Outage) else ""
                if not await self._obeying(self._until_healthy(wait_seconds, why)):
                    return self._stopped()
                self._relaunch()

    async def _attempt(self) -> None:
        self._journal.commit(PhaseChanged(phase="connecting"))
        metadata = {RUN_KEY: self._run_id, "attempt": str(self._journal.attempt)}
        inner = await self._parts.connector.connect(
            self._plan, self._quote, metadata=metadata, on_waiting=self._on_waiting
        )
        backend = NumberedBackend(inner, self._parts.effects, self._lost_paths)
        outcome: Literal["success", "errored", "interrupted"] = "errored"
        try:
            checkpoints = Checkpoints(
                self._journal, backend, plan=self._plan, run_id=self._run_id, lost_paths=self._lost_paths
            )
            resume_point = await checkpoints.recover()
            context = WorkerContext(
                plan=self._plan,
                backend=backend,
                resume_point=resume_point,
                journal=self._journal,
                checkpoints=checkpoints,
                inbox=self._inbox,
                watch=Watch(self._plan, self._journal, read_estimate(self._run_dir)),
                run_dir=self._run_dir,
            )
            self._in_method = True
            await carry_out(context, self._journal, self._parts.load_method)
            outcome = "interrupted" if self._stop.cause else "success"
        except asyncio.CancelledError:
            outcome = "interrupted"
            raise
        finally:
            self._in_method = False
            await _close(backend, outcome, hurried=self._stop.signalled)

    async def _obeying(self, work: Coroutine[None, None, None]) -> bool:
        """Do `work`; False when it was cancelled, because a stop was asked for and it did not or could not obey."""
        task = asyncio.ensure_future(work)
        asked_at: float | None = None
        while not task.done():
            await asyncio.wait({task}, timeout=self._inbox.poll_seconds)
            self._inbox.look()
            if self._stop.cause is not None:
                now = self._parts.monotonic()
                asked_at = now if asked_at is None else asked_at
                patience = self._parts.timing.patience_seconds(signalled=self._stop.signalled)
                if not self._in_method or self._waits.is_on("outage") or now - asked_at > patience:
                    task.cancel()
                    await asyncio.wait({task})
                    break
        if task.cancelled():
            return False
        await task
        return True

    async def _is_outage(self, error: Transient) -> bool:
        """Whether the attempt cost nothing, since the server was out; one that trained again what it lost did cost."""
        is_refused = isinstance(error, Outage) and self._journal.last_step == 0
        return is_refused or bool(await asyncio.to_thread(self._parts.connector.ailing))

    async def _until_healthy(self, seconds: float, why: str) -> None:
        if why and seconds:
            self._refused = why
            self._waits.report("outage", False, why)
        await asyncio.sleep(seconds)
        self._refused = ""
        while reason := await asyncio.to_thread(self._parts.connector.ailing):
            self._waits.report("outage", False, reason)
            await asyncio.sleep(self._parts.timing.health_seconds / 4)
        self._waits.report("outage", True)

    def _on_waiting(self, reason: WaitReason, over: bool, detail: str) -> None:
        if reason == "outage":
            self._refused = "" if over else detail
        self._waits.report(reason, over, detail)

    def _ailing(self) -> str:
        """Why nothing moves: the server does not answer a plain question, or keeps refusing what the SDK asks."""
        return self._parts.connector.ailing() or self._refused

    def _ended(self) -> Finished:
        known = self._journal.lineage.known.values()
        is_final = any(r.reason == "final" and r.step == total_steps(self._plan) for r in known)
        if self._stop.cause is not None and not is_final:
            return self._stopped()
        return Finished(outcome="completed", exit_code=ExitCode.OK)

    def _stopped(self) -> Finished:
        outcome, exit_code, what = self._stop.end
        verb = "show" if exit_code == ExitCode.OK else "resume"
        return Finished(outcome=outcome, exit_code=exit_code, what=what, next_step=f"tcao {verb} {self._run_id}")

    def _say_finished(self, finished: Finished) -> None:
        answers = self._inbox.answers("stop", accepted=self._stop.cause is not None, reason=finished.what)
        why = f"the run ended: {finished.outcome}"
        answers += self._inbox.answers("pause", "resume", "checkpoint", "change", accepted=False, reason=why)
        self._journal.commit(*answers, finished)

    def _storage_failed(self, error: StorageFailed) -> int:
        """Say on the last channel left where the weights are, and end resumable: the next attempt adopts them."""
        newest = max(self._journal.lineage.known.values(), key=lambda r: r.step, default=None)
        where = f"; the last recorded checkpoint is {newest.state_path}" if newest else ""
        print(f"{error.what}{where}; then: tcao resume {self._run_id}", file=sys.stderr, flush=True)
        return error.exit_code


async def _close(
    backend: NumberedBackend, outcome: Literal["success", "errored", "interrupted"], *, hurried: bool
) -> None:
    try:
        async with asyncio.timeout(HURRIED_CLOSE_SECONDS if hurried else CLOSE_SECONDS):
            await backend.close(outcome)
    except (TcaoError, TimeoutError) as error:
        print(f"closing the session: {error}", file=sys.stderr, flush=True)


def failed(error: TcaoError, run_id: str) -> Finished:
    """The end that an error makes."""
    return Finished(
        outcome="failed",
        exit_code=error.exit_code,
        what=error.what,
        where=error.where,
        next_step=error.next_step or f"tcao resume {run_id}",
    )
