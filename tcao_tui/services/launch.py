"""Starting runs: the run's directory and row, and the hand-off to a detached worker, which has no third state.

Either the worker's `Launched` event is there, or its error is told and no worker is left. The worker itself is
`tcao_tui.worker`, which is never imported here.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.events import Finished, Launched, StoredEvent
from tcao_tui.domain.liveness import with_status
from tcao_tui.domain.pipeline import total_steps
from tcao_tui.domain.plan import Plan, PriceQuote, approval_hash
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.domain.wording import money_text
from tcao_tui.errors import (
    BackendError,
    BudgetExceeded,
    CredentialsError,
    ExitCode,
    NeedsInput,
    PlanInvalid,
    Refused,
    TcaoError,
)
from tcao_tui.services import detached
from tcao_tui.services.notifications import start_notifier
from tcao_tui.services.plans import changed_data
from tcao_tui.services.takeover import end_silent_worker
from tcao_tui.store.estimate_file import write_estimate
from tcao_tui.store.plan_file import PLAN_NAME, read_plan, write_plan
from tcao_tui.store.port import PAST_EVERY_ROW, Approval, Cursor, NewRun, RunStore

LAUNCH_SECONDS = 30.0
"""How long a worker may take to say that it has the run: it does so before it loads anything heavy."""

_POLL_SECONDS = 0.02
_ENDING_SECONDS = 10.0
_LOG_TAIL_BYTES = 4_000
_ERRORS: dict[int, type[TcaoError]] = {
    e.exit_code: e for e in (PlanInvalid, NeedsInput, CredentialsError, BudgetExceeded, BackendError, Refused)
}


@dataclass(frozen=True, slots=True)
class LaunchResult:
    """A worker has the run."""

    run_id: str
    run_dir: Path
    pid: int
    attempt: int
    fence: int


def create_run(
    store: RunStore,
    runs_root: Path,
    plan: Plan,
    *,
    profile_name: str,
    quote: PriceQuote,
    approval: Approval,
    cost: CostEstimate | None = None,
    clock: Callable[[], float] = time.time,
) -> str:
    """Make an approved run known: its directory with plan and estimate, its row and its approval.

    Returns:
        The run's id, which sorts by time: `YYYYmmdd-HHMMSS-<run_name>-<4 hex>`, UTC.

    Raises:
        NeedsInput: The approval is for another plan or other prices.
    """
    if approval.approval_hash != approval_hash(plan, quote):
        raise NeedsInput("the approval is for another plan or other prices", next_step="approve this plan")
    now = clock()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    run_id = f"{stamp}-{plan.training.run_name}-{secrets.token_hex(2)}"
    run_dir = runs_root / run_id
    run_dir.mkdir(parents=True, mode=0o700)
    write_plan(run_dir, plan)
    if cost is not None:
        write_estimate(run_dir, cost)
    store.create_run(
        NewRun(
            run_id=run_id,
            name=plan.training.run_name,
            method=plan.method,
            base_model=plan.training.base_model,
            backend=profile_name,
            total_steps=total_steps(plan),
            created_at=now,
        )
    )
    store.approve(run_id, approval)
    return run_id


def start_worker(
    store: RunStore,
    runs_root: Path,
    run_id: str,
    *,
    timeout_seconds: float = LAUNCH_SECONDS,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = (sys.executable, "-m", "tcao_tui.worker"),
) -> LaunchResult:
    """Spawn a worker and wait until it has the run.

    Args:
        store: The run store.
        runs_root: Its root.
        run_id: The run.
        timeout_seconds: How long to wait before the worker is ended.
        env: Its environment; ours when None.
        command: Program and leading arguments of the worker.

    Raises:
        Refused: Another worker has the run; says which.
        TcaoError: The worker's own error, with its exit code, or that it did not start in time.
    """
    run_dir = runs_root / run_id
    log = run_dir / "worker.log"
    log_start = log.stat().st_size if log.exists() else 0
    events = _NewEvents(store, run_id)
    environ = {k: v for k, v in (os.environ if env is None else env).items() if k != "PYTHONDONTWRITEBYTECODE"}
    pid = detached.spawn([*command, "--runs-root", str(runs_root), run_id], log_file=log, environ=environ)
    deadline = time.monotonic() + timeout_seconds
    while True:
        exit_code = detached.exit_status(pid)
        # Read after the exit status: what a dead worker committed is then all there.
        events.read()
        if launched := events.launched(pid):
            found = launched.event
            fence = found.fence if isinstance(found, Launched) else 0
            start_notifier(runs_root, run_id, environ)
            return LaunchResult(run_id, run_dir, pid, launched.attempt, fence)
        if exit_code is not None:
            raise _early_death(store, run_id, exit_code, events, _tail(log, log_start))
        if time.monotonic() > deadline:
            _end(pid)
            raise TcaoError(
                f"the worker did not start within {timeout_seconds:.0f} s and was ended",
                where=str(log),
                next_step=f"tcao resume {run_id}",
            )
        time.sleep(_POLL_SECONDS)


def resume(
    store: RunStore,
    runs_root: Path,
    run_id: str,
    *,
    approval: Approval | None = None,
    timeout_seconds: float = LAUNCH_SECONDS,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = (sys.executable, "-m", "tcao_tui.worker"),
) -> LaunchResult:
    """Start another attempt of a run that ended early, or say why not.

    Args:
        store: The run store.
        runs_root: Its root.
        run_id: The run.
        approval: New consent, where prices changed since the last one.
        timeout_seconds: As for `start_worker`.
        env: As for `start_worker`.
        command: As for `start_worker`.

    Raises:
        Refused: It is being carried out, it is completed, or its data or plan changed; names the file.
        NeedsInput: It was never approved.
        BudgetExceeded: It stopped at its cap.
    """
    lease = store.lease(run_id)
    summary = with_status(store.run(run_id), lease)
    if summary.status is RunStatus.COMPLETED:
        raise Refused(f"{run_id} is completed: nothing is left to do", next_step=f"tcao show {run_id}")
    if lease.held and summary.status is not RunStatus.LOST and (summary.status.is_live or not _let_go(store, run_id)):
        raise _held(store, run_id)
    plan = read_plan(runs_root / run_id / PLAN_NAME)
    if problems := changed_data(plan):
        raise Refused(
            "\n".join(problems), where=run_id, next_step="restore the file, or start a new run with `tcao run`"
        )
    cap = plan.budget.max_cost_usd
    if cap is not None and summary.cost_usd is not None and summary.cost_usd >= cap > 0:
        raise BudgetExceeded(
            f"{run_id} spent {money_text(summary.cost_usd)} of its cap of {money_text(cap)}",
            where="budget.max_cost_usd",
        )
    if approval is not None:
        store.approve(run_id, approval)
    check_approval(plan, store.approvals(run_id))
    if summary.status is RunStatus.LOST and lease.held:
        end_silent_worker(store, runs_root, run_id)
    return start_worker(store, runs_root, run_id, timeout_seconds=timeout_seconds, env=env, command=command)


def check_approval(plan: Plan, approvals: Sequence[Approval]) -> PriceQuote:
    """The prices that the newest approval of this plan was given for. Raises `NeedsInput`."""
    if not approvals:
        raise NeedsInput("this run was never approved", next_step="tcao run PLAN")
    newest = approvals[-1]
    quote = PriceQuote.model_validate_json(newest.quote)
    if newest.approval_hash != approval_hash(plan, quote):
        raise NeedsInput(
            "the plan in the run's directory is not the one that was approved",
            next_step="restore it, or start a new run",
        )
    return quote


class _NewEvents:
    """Events that are committed after this object was made."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self._cursor = Cursor(metric=PAST_EVERY_ROW, spend=PAST_EVERY_ROW)
        self.events: list[StoredEvent] = []
        self.read()
        self.events.clear()

    def read(self) -> None:
        more = True
        while more:
            batch = self._store.read(self._run_id, self._cursor)
            self._cursor, more = batch.cursor, batch.more
            self.events += batch.events

    def launched(self, pid: int) -> StoredEvent | None:
        """The hand-off of exactly our worker; another console's may come at the same time."""
        return next((s for s in self.events if isinstance(s.event, Launched) and s.event.pid == pid), None)

    def finished(self) -> Finished | None:
        return next((s.event for s in reversed(self.events) if isinstance(s.event, Finished)), None)


def _early_death(store: RunStore, run_id: str, exit_code: int, events: _NewEvents, log_tail: str) -> TcaoError:
    if exit_code == ExitCode.REFUSED and store.lease(run_id).held:
        return _held(store, run_id)
    if (finished := events.finished()) is not None and finished.exit_code == exit_code:
        error = _ERRORS.get(exit_code, TcaoError)
        return error(finished.what, where=finished.where, next_step=finished.next_step)
    for line in reversed(log_tail.splitlines()):
        if line.startswith('{"error":'):
            told = json.loads(line)["error"]
            return _ERRORS.get(exit_code, TcaoError)(told["what"], where=told["where"], next_step=told["next_step"])
    cause = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    return TcaoError(f"the worker ended before it took the run ({cause}): {log_tail.strip() or 'it said nothing'}")


def _let_go(store: RunStore, run_id: str) -> bool:
    """Wait for the lock of a worker that has said that it ended, which is a moment away from ending."""
    deadline = time.monotonic() + _ENDING_SECONDS
    while store.lease(run_id).held:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _held(store: RunStore, run_id: str) -> Refused:
    lease = store.lease(run_id)
    who = f"worker {lease.pid} on {lease.host}" if lease.pid else "another worker"
    return Refused(f"{run_id} is being carried out by {who}", next_step=f"tcao watch {run_id}")


def _tail(log: Path, start: int) -> str:
    """What the worker wrote since `start`, at most the last 4 kB."""
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - _LOG_TAIL_BYTES))
            return file.read(_LOG_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _end(pid: int) -> None:
    """End our own child, which no other process can have replaced as long as it is not waited for."""
    os.kill(pid, 9)
    while detached.exit_status(pid) is None:
        time.sleep(_POLL_SECONDS)
