"""The one fold: events and metric rows in, a `RunView` out. Mutable inside, frozen outside.

Reading the store and judging liveness is the business of `services.follow`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.events import (
    CheckpointDeleted,
    CheckpointSaved,
    DataLoaded,
    Finished,
    Launched,
    MetricRow,
    PhaseChanged,
    Resumed,
    SamplesTaken,
    Scored,
    Spend,
    StoredEvent,
    UnknownEvent,
    Waiting,
)
from tcao_tui.domain.liveness import judge, with_status
from tcao_tui.domain.marks_state import MarksState
from tcao_tui.domain.run_summary import status_after
from tcao_tui.domain.run_view import LeaseState, RunStatus, RunSummary, RunView
from tcao_tui.domain.series import Series
from tcao_tui.domain.training_events import StageMeasured

_EVENTS_KEPT = 500
_SAMPLES_KEPT = 200
_PACE_ROWS = 50

__all__ = ["RunState", "judge", "with_status"]


@dataclass(slots=True)
class _Now:
    """What the newest attempt says of itself."""

    status: RunStatus = RunStatus.CREATED
    attempt: int = 0
    phase: str = ""
    phase_detail: str = ""
    pid: int | None = None
    started_at: float | None = None
    waiting: Waiting | None = None
    finished: Finished | None = None


@dataclass(frozen=True, slots=True)
class FoldedMetrics:
    """Metric rows and ledger of a long run that were folded elsewhere, up to some row.

    Attributes:
        resumes: Attempts that went on from an earlier one, and from which step; all were taken into account.
        trained_by: The last attempt that trained any of the rows.
        pace: Step and Unix time of the newest trained rows, for the time that is left.
    """

    series: dict[str, Series]
    resumes: list[tuple[int, int]]
    trained_by: int
    step: int
    superseded_rows: int
    updated_at: float
    pace: list[tuple[int, float]]
    tokens: int
    cost_usd: float | None


class RunState:
    """Fold of one run.

    Args:
        summary: The run's row in the store: identity and totals that no event repeats.
    """

    def __init__(self, summary: RunSummary) -> None:
        self.summary = summary
        self.series: dict[str, Series] = {}
        self.superseded_rows = 0
        self._now = _Now()
        self._first_started_at: float | None = None
        self._resume_steps: dict[int, int] = {}
        self._last_steps_kept: dict[int, float] = {}
        self._step = 0
        self._trained_by = 0
        self._pace: deque[tuple[int, float]] = deque(maxlen=_PACE_ROWS)
        self._data: DataLoaded | None = None
        self._checkpoints: dict[str, CheckpointRecord] = {}
        self._samples: dict[int, tuple[int, SamplesTaken]] = {}
        self._scores: dict[tuple[int, str], tuple[int, Scored]] = {}
        self._marks = MarksState()
        self._events: deque[StoredEvent] = deque(maxlen=_EVENTS_KEPT)
        self._unknown: Counter[str] = Counter()
        self._updated_at = summary.created_at
        self._tokens = 0
        self._cost_usd: float | None = 0.0

    def apply(self, stored: StoredEvent) -> None:
        """Fold one event."""
        self._events.append(stored)
        self._updated_at = max(self._updated_at, stored.at)
        self._now.status = status_after(self._now.status, stored.event)
        self._marks.apply(stored.event)
        match stored.event:
            case Launched() as event:
                self._launched(stored, event)
            case Resumed(step=step):
                self._resumed(stored.attempt, step)
            case PhaseChanged(phase=phase, detail=detail):
                if "paused" in (phase, self._now.phase):
                    self._pace.clear()
                self._now.phase, self._now.phase_detail = phase, detail
            case Waiting() as event:
                self._now.waiting = None if event.over else event
                self._pace.clear()
            case DataLoaded() as event:
                self._data = event
                self._pace.clear()
            case CheckpointSaved(checkpoint=checkpoint):
                self._checkpoints[checkpoint.name] = checkpoint
            case CheckpointDeleted(name=name):
                self._checkpoints.pop(name, None)
            case SamplesTaken() as event:
                self._sampled(stored.attempt, event)
            case Scored() as event:
                self._scores[event.step, event.name] = (stored.attempt, event)
            case StageMeasured(step=step, values=values):
                _start_curves(self.series, step, values)
            case Finished() as event:
                self._now.finished, self._now.waiting = event, None
            case UnknownEvent(kind=kind):
                self._unknown[kind] += 1
            case _:
                pass

    def apply_metrics(self, row: MetricRow) -> None:
        """Fold one row of numbers; rows that a later attempt trained anew are counted and left out."""
        self._updated_at = max(self._updated_at, row.at)
        trained = row.batch is not None
        if trained and row.attempt > self._trained_by:
            self._starts_training(row)
        if row.step > self._last_step_kept(row.attempt):
            self.superseded_rows += trained
            return
        for key, value in row.values.items():
            self.series.setdefault(key, Series()).append(row.step, value)
        if trained and row.step >= self._step:
            self._step = row.step
            self._pace.append((row.step, row.at))

    def apply_spend(self, spend: Spend) -> None:
        """Fold one entry of the ledger; an unknown price makes the total unknown."""
        self._tokens += spend.tokens
        if spend.usd is None or self._cost_usd is None:
            self._cost_usd = None
        else:
            self._cost_usd += spend.usd

    def adopt(self, folded: FoldedMetrics) -> None:
        """Take in rows that were folded elsewhere; all events up to them must have been applied, and no row."""
        for attempt, step in folded.resumes:
            self._resumed(attempt, step)
        self.series.update(folded.series)
        for step, values in self._marks.starts():
            _start_curves(self.series, step, values)
        self._step, self._trained_by = folded.step, folded.trained_by
        self.superseded_rows = folded.superseded_rows
        self._tokens, self._cost_usd = folded.tokens, folded.cost_usd
        self._updated_at = max(self._updated_at, folded.updated_at)
        self._pace.extend(folded.pace)
        known = max((attempt for attempt, _ in folded.resumes), default=0)
        for attempt in sorted(number for number in self._resume_steps if number > known):
            self._resumed(attempt, self._resume_steps[attempt])

    def view(self, lease: LeaseState, *, now: float, pending_verb: str = "") -> RunView:
        """Freeze the state as front ends see it at Unix time `now`, seconds."""
        at = self._now
        status = judge(at.status, lease)
        if status is RunStatus.RUNNING:
            status = RunStatus.WAITING if at.waiting else RunStatus.STOPPING if pending_verb == "stop" else status
        ended = self._updated_at if not status.is_live else now
        return RunView(
            **self._identity(),
            status=status,
            phase=at.phase,
            phase_detail=at.phase_detail,
            step=self._step,
            attempt=at.attempt,
            worker_pid=lease.pid if lease.held else None,
            heartbeat_age_seconds=lease.heartbeat_age_seconds,
            started_at=self._first_started_at,
            updated_at=self._updated_at,
            elapsed_seconds=0.0 if self._first_started_at is None else ended - self._first_started_at,
            eta_seconds=self._eta_seconds() if status is RunStatus.RUNNING else None,
            tokens=self._tokens,
            cost_usd=self._cost_usd,
            waiting=at.waiting,
            finished=at.finished,
            data=self._data,
            checkpoints=tuple(sorted(self._checkpoints.values(), key=lambda c: (c.step, c.attempt))),
            samples=tuple(self._samples[step][1] for step in sorted(self._samples)),
            scores=tuple(score for _, score in self._scores.values()),
            events=tuple(self._events),
            series=self.series,
            marks=self._marks.view(),
            pending_verb=pending_verb,
            superseded_rows=self.superseded_rows,
            unknown_kinds=dict(self._unknown),
        )

    def _identity(self) -> dict[str, Any]:
        s = self.summary
        return {
            "run_id": s.run_id,
            "name": s.name,
            "method": s.method,
            "base_model": s.base_model,
            "backend": s.backend,
            "total_steps": s.total_steps,
            "created_at": s.created_at,
        }

    def _launched(self, stored: StoredEvent, event: Launched) -> None:
        self._now = _Now(
            status=RunStatus.STARTING, attempt=stored.attempt, pid=event.pid, started_at=stored.at, phase="starting"
        )
        if self._first_started_at is None:
            self._first_started_at = stored.at

    def _resumed(self, attempt: int, step: int) -> None:
        self._resume_steps[attempt] = step
        self._last_steps_kept.clear()
        for series in self.series.values():
            series.drop_after(step)
        self.superseded_rows += max(0, self._step - step)
        self._step = min(self._step, step)
        self._pace.clear()
        # What the attempt itself took stays: its events may be folded before its rows.
        self._samples = {at: kept for at, kept in self._samples.items() if at <= step or kept[0] >= attempt}
        self._scores = {at: kept for at, kept in self._scores.items() if at[0] <= step or kept[0] >= attempt}

    def _starts_training(self, row: MetricRow) -> None:
        """An attempt that found no checkpoint trains from the start, and no `Resumed` says so."""
        self._trained_by = row.attempt
        if row.attempt not in self._resume_steps and row.step <= self._step:
            self._resumed(row.attempt, row.step - 1)

    def _last_step_kept(self, attempt: int) -> float:
        """Up to which step the rows of an attempt are not trained anew by a later one."""
        kept = self._last_steps_kept.get(attempt)
        if kept is None:
            later = (step for number, step in self._resume_steps.items() if number > attempt)
            kept = self._last_steps_kept[attempt] = min(later, default=inf)
        return kept

    def _sampled(self, attempt: int, event: SamplesTaken) -> None:
        self._samples.pop(event.step, None)
        self._samples[event.step] = attempt, event
        if len(self._samples) > _SAMPLES_KEPT:
            del self._samples[next(iter(self._samples))]

    def _eta_seconds(self) -> float | None:
        if len(self._pace) < 2:
            return None
        (first_step, first_at), (last_step, last_at) = self._pace[0], self._pace[-1]
        if last_step <= first_step or last_at <= first_at:
            return None
        return (self.summary.total_steps - last_step) * (last_at - first_at) / (last_step - first_step)


def _start_curves(series: dict[str, Series], step: int, values: Mapping[str, float]) -> None:
    """What a later stage measured first begins its curves; a row of that step, of the stage before, wins."""
    for key in values.keys() - {"score"}:
        curve = series.setdefault(key, Series())
        if curve.value_at(step) is None:
            curve.append(step, values[key])
