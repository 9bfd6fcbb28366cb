"""How a commit changes the one-line summary of a run: the small fold that every store keeps beside its events.

The large fold, which front ends draw, is `run_state`; both take the status from `status_after`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from tcao_tui.domain.events import (
    Finished,
    Launched,
    MetricRow,
    PhaseChanged,
    Resumed,
    RunEvent,
    Spend,
    UnknownEvent,
    Waiting,
)
from tcao_tui.domain.headlines import KEPT_KEYS
from tcao_tui.domain.run_view import RunStatus, RunSummary
from tcao_tui.domain.training_events import StageStarted

TRAIN_LOSS = "train_mean_nll"
VAL_LOSS = "val_mean_nll"

type LastUntil = Callable[[int, Collection[str]], Mapping[str, float]]
"""The last values of metrics, by key, in rows of the lineage up to a step."""

_OUTCOMES = {
    "completed": RunStatus.COMPLETED,
    "stopped": RunStatus.STOPPED,
    "failed": RunStatus.FAILED,
    "interrupted": RunStatus.INTERRUPTED,
    "budget": RunStatus.BUDGET,
}


def status_after(status: RunStatus, event: RunEvent | UnknownEvent) -> RunStatus:
    """The status that a run records of itself once `event` is committed."""
    if isinstance(event, Launched):
        return RunStatus.STARTING
    if status is not RunStatus.CREATED and not status.is_live:
        return status
    match event:
        case PhaseChanged(phase="paused"):
            return RunStatus.PAUSED
        case PhaseChanged():
            return status if status is RunStatus.WAITING else RunStatus.RUNNING
        case Waiting(over=False):
            return status if status is RunStatus.PAUSED else RunStatus.WAITING
        case Waiting():
            return RunStatus.RUNNING if status is RunStatus.WAITING else status
        case Finished(outcome=outcome):
            return _OUTCOMES[outcome]
        case _:
            return status


def summary_after(
    summary: RunSummary,
    *,
    attempt: int,
    at: float,
    events: Sequence[RunEvent],
    metrics: Sequence[MetricRow],
    spends: Sequence[Spend],
    last_until: LastUntil,
) -> RunSummary:
    """The summary once a commit is in.

    Args:
        summary: The summary before.
        attempt: The attempt that commits.
        at: When, Unix seconds.
        events: Its events, in order; they count before its rows.
        metrics: Its rows, in order.
        spends: Its entries of the ledger.
        last_until: Asked when a resume sets the run back.
    """
    for event in events:
        status = status_after(summary.recorded_status, event)
        summary = replace(summary, recorded_status=status, status=status, attempt=attempt)
        if isinstance(event, Resumed) and event.step < summary.step:
            summary = _set_back(summary, event.step, last_until)
        elif isinstance(event, StageStarted):
            summary = replace(summary, numbers={})
    for row in metrics:
        summary = _with_row(summary, row)
    return _with_spends(
        replace(
            summary,
            attempt=max(summary.attempt, attempt),
            updated_at=max(summary.updated_at, at if events else 0.0, *(row.at for row in metrics)),
        ),
        spends,
    )


def _set_back(summary: RunSummary, step: int, last_until: LastUntil) -> RunSummary:
    losses = {TRAIN_LOSS: summary.train_loss, VAL_LOSS: summary.val_loss}
    found = last_until(step, {*summary.numbers, *(key for key, loss in losses.items() if loss is not None)})
    numbers = {key: found[key] for key in summary.numbers if key in found}
    return replace(summary, step=step, train_loss=found.get(TRAIN_LOSS), val_loss=found.get(VAL_LOSS), numbers=numbers)


def _with_row(summary: RunSummary, row: MetricRow) -> RunSummary:
    return replace(
        summary,
        # The rows of an attempt come in order, so the last one says where the run is, after a restart too.
        step=summary.step if row.batch is None else row.step,
        train_loss=row.values.get(TRAIN_LOSS, summary.train_loss),
        val_loss=row.values.get(VAL_LOSS, summary.val_loss),
        numbers={**summary.numbers, **{key: value for key, value in row.values.items() if key in KEPT_KEYS}},
    )


def _with_spends(summary: RunSummary, spends: Sequence[Spend]) -> RunSummary:
    cost = summary.cost_usd
    for spend in spends:
        cost = None if cost is None or spend.usd is None else cost + spend.usd
    return replace(summary, tokens=summary.tokens + sum(s.tokens for s in spends), cost_usd=cost)
