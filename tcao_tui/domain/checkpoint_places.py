"""What a run of ours knows of its checkpoints: a fold of its events, and the answer for each. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tcao_tui.domain.checkpoint_listing import CheckpointNote, LayerScore, OwnCheckpoint, ServerCheckpoint
from tcao_tui.domain.checkpoints import CheckpointRecord, parse_checkpoint_name
from tcao_tui.domain.events import CheckpointSaved, MetricRow, Scored, StoredEvent
from tcao_tui.domain.held_out import FALLING_METRICS, HELD_OUT_METRICS
from tcao_tui.domain.lineage import History
from tcao_tui.domain.run_view import RunSummary

HELD_OUT = tuple(dict.fromkeys(name for names in HELD_OUT_METRICS.values() for name in names))
"""Of any method, since the stages of a run may have several."""


class _Measured(NamedTuple):
    """A number and the attempt that found it."""

    attempt: int
    score: LayerScore


class RunPlaces:
    """Fold of one run, for the checkpoints that it saved.

    Args:
        summary: The run's row, its status with liveness judged.
    """

    def __init__(self, summary: RunSummary) -> None:
        self.summary = summary
        self._history = History()
        self._measured: defaultdict[int, list[_Measured]] = defaultdict(list)
        self._recorded_at: dict[str, float] = {}

    def apply(self, stored: StoredEvent) -> None:
        """Fold one event."""
        self._history.apply(stored)
        match stored.event:
            case Scored(step=step, name=name, value=float(value)):
                # Benchmarks are named after their package, as `inspect_evals/gsm8k`; graders have plain names.
                score = LayerScore(2 if "/" in name else 3, name, value)
                self._measured[step].append(_Measured(stored.attempt, score))
            case CheckpointSaved(checkpoint=record):
                self._recorded_at[record.name] = stored.at
            case _:
                pass

    def apply_validation(self, row: MetricRow) -> None:
        """Fold a row that trained nothing."""
        for name in HELD_OUT:
            if (value := row.values.get(name)) is not None:
                score = LayerScore(1, name, value, lower_is_better=name in FALLING_METRICS)
                self._measured[row.step].append(_Measured(row.attempt, score))

    def records(self) -> list[CheckpointRecord]:
        """Checkpoints that are recorded and not deleted, on the lineage, furthest last."""
        return self._history.usable()

    def all_records(self) -> Iterable[CheckpointRecord]:
        """Checkpoints that are recorded and not deleted, those that a later attempt went back behind included."""
        return self._history.checkpoints.values()

    def expires_at(self, record: CheckpointRecord, note: CheckpointNote) -> float | None:
        """When it expires by whatever was said last, Unix seconds: its run's worker, or a person or guard here."""
        if note.expiry is not None and note.expiry.at >= self._recorded_at.get(record.name, 0.0):
            return note.expiry.expires_at
        return None if note.pinned else record.expires_at

    def own(self, server: ServerCheckpoint) -> OwnCheckpoint | None:
        """What the run knows of a checkpoint; None when it is none of its own."""
        record = self._history.saved.get(server.name)
        if record is not None and server.path not in (record.state_path, record.sampler_path):
            record = None
        place = (record.attempt, record.step) if record else _said(server)
        return None if place is None else self._own(*place, record)

    def _own(self, attempt: int, step: int, record: CheckpointRecord | None) -> OwnCheckpoint:
        resume = self._history.resumes.get(attempt)
        superseded = any(r.attempt > attempt and r.step < step for r in self._history.resumes.values())
        stages = [first for first in self._history.stages if first < step]
        return OwnCheckpoint(
            run_id=self.summary.run_id,
            run_name=self.summary.name,
            status=self.summary.status,
            base_model=self.summary.base_model,
            attempt=attempt,
            step=step,
            reason=record.reason if record else None,
            stage=self._history.stages[max(stages)] if stages else "",
            resumed_from=resume.checkpoint if resume else "",
            scores=self._scores(attempt, step, superseded=superseded),
            superseded=superseded,
            resume_points=tuple(r.state_path for r in reversed(self._history.usable())),
        )

    def _scores(self, attempt: int, step: int, *, superseded: bool) -> tuple[LayerScore, ...]:
        """Numbers of these very weights: of its attempt, or of a later one that went on from them."""
        found: dict[str, LayerScore] = {}
        for measured in sorted(self._measured.get(step, ()), key=lambda m: m.attempt):
            if measured.attempt == attempt or (measured.attempt > attempt and not superseded):
                found[measured.score.name] = measured.score
        return tuple(sorted(found.values(), key=lambda score: score.layer))


def _said(server: ServerCheckpoint) -> tuple[int, int] | None:
    """Attempt and step that a checkpoint says of itself, when no run recorded it."""
    named = parse_checkpoint_name(server.name)
    if named is not None:
        return named
    try:
        return int(server.metadata["attempt"]), int(server.metadata["step"])
    except (KeyError, ValueError):
        return None
