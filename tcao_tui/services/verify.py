"""Reads what the proof of a run needs from the store and the run's directory. The checks are `domain.verify`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from tcao_tui.domain.events import MetricRow, Spend, StoredEvent
from tcao_tui.domain.plan import Plan, PriceQuote, approval_hash, config_hash
from tcao_tui.domain.proof import ListedCheckpoint, Outside, Record, VerifyReport
from tcao_tui.domain.verify import verify as prove
from tcao_tui.errors import PlanInvalid
from tcao_tui.store.plan_file import PLAN_NAME, read_plan
from tcao_tui.store.port import Approval, Cursor, RunStore

_ROWS_PER_READ = 10_000


def verify(
    store: RunStore,
    run_id: str,
    *,
    runs_root: Path | None = None,
    remote: Sequence[ListedCheckpoint] | None = None,
    clock: Callable[[], float] = time.time,
) -> VerifyReport:
    """Check every invariant of a run, whatever state it is in.

    Args:
        store: The run store.
        run_id: The run.
        runs_root: Directory of the runs, for the plan file; None leaves the approval unchecked.
        remote: The server's complete list of the run's checkpoints, as `TinkerBackend.checkpoints_of` gives it; None
            leaves the server unchecked.
        clock: Unix seconds.

    Raises:
        UsageError: There is no such run.
    """
    approvals = store.approvals(run_id)
    record = read_record(store, run_id, approvals)
    if runs_root is None:
        return prove(record, Outside(now=clock(), remote=remote))
    try:
        plan = read_plan(runs_root / run_id / PLAN_NAME)
    except PlanInvalid as error:
        return prove(record, Outside(now=clock(), remote=remote, plan_problem=f"the plan file cannot be read: {error}"))
    plan_hash, problem = _plan_hash(plan, approvals)
    outside = Outside(
        now=clock(),
        remote=remote,
        plan_hash=plan_hash,
        plan_problem=problem,
        config_hash=config_hash(plan),
        cap_usd=plan.budget.max_cost_usd,
        in_flight_steps=plan.training.submit_ahead + 1,
    )
    return prove(record, outside)


def read_record(store: RunStore, run_id: str, approvals: Sequence[Approval]) -> Record:
    """Everything that the store holds of one run."""
    events: list[StoredEvent] = []
    rows: list[MetricRow] = []
    spends: list[Spend] = []
    cursor, new = Cursor(), True
    summary = store.run(run_id)
    while new:
        batch = store.read(run_id, cursor, limit=_ROWS_PER_READ)
        new = batch.cursor != cursor
        if new:
            # Asked again after each read: when a read finds nothing new, the summary is of the same moment.
            cursor, summary = batch.cursor, store.run(run_id)
        events += batch.events
        rows += batch.metrics
        spends += batch.spends
    return Record(summary, events, rows, spends, tuple(approval.approval_hash for approval in approvals))


def _plan_hash(plan: Plan, approvals: Sequence[Approval]) -> tuple[str, str]:
    if not approvals:
        return "", "it was never approved"
    try:
        quote = PriceQuote.model_validate_json(approvals[-1].quote)
    except ValidationError:
        return "", "the prices of its approval cannot be read"
    return approval_hash(plan, quote), ""
