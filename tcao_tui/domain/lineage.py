"""The final lineage of a run, put together from what its attempts trained: the steps that the last weights are made of.

An attempt goes on from a resume step; what earlier attempts trained past it is off the lineage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.events import (
    CheckpointDeleted,
    CheckpointSaved,
    DataLoaded,
    Launched,
    MetricRow,
    Resumed,
    StoredEvent,
)
from tcao_tui.domain.training_events import ArtefactWritten, StageEnded, StageStarted


class TrainedStep(NamedTuple):
    """Update `step` of one attempt, and the batch that it trained."""

    attempt: int
    step: int
    epoch: int
    batch: int


@dataclass(slots=True)
class Resume:
    """Where an attempt went on, and what was recorded at that moment.

    Attributes:
        best_step: The furthest checkpoint that was recorded, on the lineage and not deleted; 0 when there was none.
        known: Whether the checkpoint it names was recorded with this step; true for a start from nothing.
        replays: What the attempt said it would not repeat exactly.
        chosen_by: Who chose to go back to it; empty for the furthest one.
    """

    attempt: int
    step: int
    checkpoint: str
    best_step: int
    known: bool
    replays: str = ""
    chosen_by: str = ""


@dataclass(slots=True)
class History:
    """Fold of a run's events as far as the lineage needs them.

    Attributes:
        checkpoints: Recorded and not deleted, by name.
        saved: All that were ever recorded, by name; the newest record of each.
        stages: Names of stages by the updates before them.
        ended_early: Stages that early stopping ended, by their last step in the plan; the newest of each.
        rewritten: What attempts wrote anew although updates had learned from it, for people.
        batches_per_epoch: As each attempt loaded the data, by the updates before the stage that reads them.
    """

    launches: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    resumes: dict[int, Resume] = field(default_factory=dict[int, Resume])
    checkpoints: dict[str, CheckpointRecord] = field(default_factory=dict[str, CheckpointRecord])
    saved: dict[str, CheckpointRecord] = field(default_factory=dict[str, CheckpointRecord])
    contradictions: list[str] = field(default_factory=list[str])
    batches_per_epoch: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    stages: dict[int, str] = field(default_factory=dict[int, str])
    ended_early: dict[int, StageEnded] = field(default_factory=dict[int, StageEnded])
    rewritten: list[str] = field(default_factory=list[str])
    _artefacts: dict[str, str] = field(default_factory=dict[str, str])
    _stage_start: int = 0

    @classmethod
    def of(cls, events: Iterable[StoredEvent]) -> History:
        """Fold events in their order."""
        history = cls()
        for stored in events:
            history.apply(stored)
        return history

    def apply(self, stored: StoredEvent) -> None:
        """Fold one event."""
        match stored.event:
            case Launched(fence=fence):
                self.launches.append((stored.attempt, fence))
            case Resumed() as event:
                self._resumed(stored.attempt, event)
            case DataLoaded(first_step=first_step, batches_per_epoch=count):
                self.batches_per_epoch.setdefault(first_step, set()).add(count)
            case StageStarted(first_step=first_step, name=name):
                self.stages[first_step] = name
                self._stage_start = first_step
            case StageEnded(last_step=last_step) as event:
                self.ended_early[last_step] = event
            case ArtefactWritten(file=file, sha256=sha256):
                self._wrote(stored.attempt, file, sha256)
            case CheckpointSaved(checkpoint=record):
                self._saved(record)
            case CheckpointDeleted(name=name):
                self.checkpoints.pop(name, None)
            case _:
                pass

    def is_superseded(self, record: CheckpointRecord) -> bool:
        """Whether a later attempt went on from before these weights."""
        return any(r.attempt > record.attempt and r.step < record.step for r in self.resumes.values())

    def planned(self, step: int) -> tuple[int, int] | None:
        """Updates before the stage of update `step`, and the batches of an epoch of its data; None when not known."""
        first_step = max((first for first in self.batches_per_epoch if first < step), default=None)
        counts = self.batches_per_epoch.get(first_step, set()) if first_step is not None else set[int]()
        return (first_step, next(iter(counts))) if first_step is not None and len(counts) == 1 else None

    def usable(self) -> list[CheckpointRecord]:
        """Checkpoints on the lineage that are recorded and not deleted, furthest last."""
        kept = [r for r in self.checkpoints.values() if not self.is_superseded(r)]
        return sorted(kept, key=lambda r: (r.step, r.attempt))

    def _wrote(self, attempt: int, file: str, sha256: str) -> None:
        before, resume = self._artefacts.get(file, sha256), self.resumes.get(attempt)
        self._artefacts[file] = sha256
        if before != sha256 and resume is not None and resume.step > self._stage_start:
            earlier = f"steps {self._stage_start + 1} to {resume.step} learned from the former"
            self.rewritten.append(f"attempt {attempt} wrote {file} anew; {earlier}")

    def _saved(self, record: CheckpointRecord) -> None:
        before = self.saved.get(record.name)
        if before is not None and (before.step, before.state_path) != (record.step, record.state_path):
            self.contradictions.append(f"{record.name} was recorded twice with different contents")
        self.saved[record.name] = self.checkpoints[record.name] = record

    def _resumed(self, attempt: int, event: Resumed) -> None:
        step, checkpoint = event.step, event.checkpoint
        usable = self.usable()
        known = any(r.step == step and checkpoint in (r.name, r.state_path) for r in usable)
        best_step = usable[-1].step if usable else 0
        known = known or (step == 0 and not checkpoint)
        self.resumes[attempt] = Resume(attempt, step, checkpoint, best_step, known, event.replays, event.chosen_by)


def trained_steps(rows: Iterable[MetricRow]) -> list[TrainedStep]:
    """The updates among metric rows, in their order."""
    return [
        TrainedStep(row.attempt, row.step, row.epoch, row.batch)
        for row in rows
        if row.epoch is not None and row.batch is not None
    ]


def final_lineage(trained: Sequence[TrainedStep], history: History) -> list[TrainedStep]:
    """The updates that the last weights are made of, in the order in which they were applied.

    Args:
        trained: All updates of all attempts, in the order of their commits.
        history: Where attempts went on; an attempt of which nothing is said started from nothing.
    """
    by_attempt: dict[int, list[TrainedStep]] = {}
    for step in trained:
        by_attempt.setdefault(step.attempt, []).append(step)
    lineage: list[TrainedStep] = []
    for attempt in sorted(by_attempt.keys() | history.resumes.keys()):
        resume = history.resumes.get(attempt)
        start = resume.step if resume else 0
        while lineage and lineage[-1].step > start:
            lineage.pop()
        lineage += by_attempt.get(attempt, [])
    return lineage
