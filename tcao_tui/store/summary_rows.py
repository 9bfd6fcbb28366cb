"""How a row of the run list looks in the SQLite store, both ways. Loads no pydantic, so that lists come up at once."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from tcao_tui.domain.run_view import RunStatus, RunSummary
from tcao_tui.store.port import NewRun

SUMMARY_COLUMNS = (
    "run_id, name, method, base_model, backend, status, step, total_steps, train_loss, val_loss, tokens, cost_usd, "
    "attempt, created_at, updated_at, numbers"
)
SUMMARY_MARKS = ", ".join("?" * (SUMMARY_COLUMNS.count(",") + 1))

type Row = tuple[Any, ...]


def new_summary(new: NewRun) -> RunSummary:
    """The summary of a run that did not start yet."""
    return RunSummary(
        run_id=new.run_id,
        name=new.name,
        method=new.method,
        base_model=new.base_model,
        backend=new.backend,
        recorded_status=RunStatus.CREATED,
        status=RunStatus.CREATED,
        step=0,
        total_steps=new.total_steps,
        train_loss=None,
        val_loss=None,
        tokens=0,
        cost_usd=0.0,
        attempt=0,
        created_at=new.created_at,
        updated_at=new.created_at,
    )


def summary_values(summary: RunSummary) -> Row:
    """Values for `SUMMARY_COLUMNS`."""
    s = summary
    numbers = (_real(s.train_loss), _real(s.val_loss), s.tokens, _real(s.cost_usd), s.attempt, s.created_at)
    names = (s.run_id, s.name, s.method, s.base_model, s.backend, str(s.recorded_status))
    return (*names, s.step, s.total_steps, *numbers, s.updated_at, json.dumps(dict(s.numbers)))


def read_summary(row: Row) -> RunSummary:
    """A summary from `SUMMARY_COLUMNS`; a status of another version is shown as created."""
    run_id, name, method, base_model, backend, status, step, total_steps, *numbers = row
    train_loss, val_loss, tokens, cost_usd, attempt, created_at, updated_at, last = numbers
    recorded = RunStatus(status) if status in RunStatus else RunStatus.CREATED
    return RunSummary(
        run_id=run_id,
        name=name,
        method=method,
        base_model=base_model,
        backend=backend,
        recorded_status=recorded,
        status=recorded,
        step=step,
        total_steps=total_steps,
        train_loss=None if train_loss is None else float(train_loss),
        val_loss=None if val_loss is None else float(val_loss),
        tokens=tokens,
        cost_usd=None if cost_usd is None else float(cost_usd),
        attempt=attempt,
        created_at=created_at,
        updated_at=updated_at,
        numbers=json.loads(last),
    )


def is_kept(attempt: int, step: int, resumes: Iterable[tuple[int, int]]) -> bool:
    """Whether a row is of the run's lineage still: no later attempt went on from a step before it.

    Args:
        attempt: Attempt of the row.
        step: Its step.
        resumes: Attempt, and the step that it went on from, of each resume.
    """
    return all(step <= resumed_at for later, resumed_at in resumes if later > attempt)


def _real(value: float | None) -> float | str | None:
    """SQLite has no NaN and would store NULL, which means something else."""
    return "NaN" if value is not None and math.isnan(value) else value
