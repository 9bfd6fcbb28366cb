"""Where an attempt goes on: what the store knows, reconciled with what the server has. Pure values, no I/O.

Carrying the result out (commits, deletions) is `checkpointing`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import get_args

from tcao_tui.clients.tinker_port import RemoteCheckpoint
from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor, parse_checkpoint_name
from tcao_tui.domain.events import (
    CheckpointDeleted,
    CheckpointSaved,
    Launched,
    MetricRow,
    Resumed,
    RunEvent,
    SamplesTaken,
    Scored,
    UnknownEvent,
)
from tcao_tui.domain.training_config import SettingChange
from tcao_tui.domain.training_events import (
    Alert,
    ArtefactWritten,
    RangeCellBegan,
    RangeCellTrained,
    RangeTested,
    SettingChanged,
    StageEnded,
    StageStarted,
)

_REASONS: tuple[CheckpointReason, ...] = get_args(CheckpointReason)

KEPT: tuple[CheckpointReason, ...] = ("stage", "final")
"""Saved without an expiry and never thinned out: results, not resume points."""


@dataclass(slots=True)
class Lineage:
    """Fold of a run's events as far as resuming needs it: checkpoints, deletions, changes, where attempts went on.

    Attributes:
        stages_ended: Steps at which early stopping ended stages, by the updates before the stage.
        measured: The attempt that last evaluated the weights, by step.
        scores: What the weights scored, by attempt and step.
        back_to: Name of the checkpoint that a person chose to go back to, until that is done, and who.
        range_begun: Cells of the range test that any worker began.
        range_cells: Those that are trained, by number.
        range_is_tested: Whether the range test was read.
        good: Steps of the last checkpoints before what the newest alerts found, kept for a person to go back to.
    """

    known: dict[str, CheckpointRecord] = field(default_factory=dict[str, CheckpointRecord])
    deleted: set[str] = field(default_factory=set[str])
    resume_steps: dict[int, int] = field(default_factory=dict[int, int])
    changes: list[SettingChange] = field(default_factory=list[SettingChange])
    stage_starts: set[int] = field(default_factory=set[int])
    stages_ended: dict[int, int] = field(default_factory=dict[int, int])
    measured: dict[int, int] = field(default_factory=dict[int, int])
    scores: dict[tuple[int, int], float | None] = field(default_factory=dict[tuple[int, int], float | None])
    artefacts: dict[str, str] = field(default_factory=dict[str, str])
    good: deque[int] = field(default_factory=partial(deque[int], maxlen=3))
    range_begun: set[int] = field(default_factory=set[int])
    range_cells: dict[int, RangeCellTrained] = field(default_factory=dict[int, RangeCellTrained])
    range_is_tested: bool = False
    back_to: tuple[str, str] = ("", "")
    attempts: int = 0

    def apply(self, attempt: int, event: RunEvent | UnknownEvent) -> None:
        """Fold one event."""
        match event:
            case Launched(back_to=name, by=by):
                self.attempts += 1
                self.back_to = name, by
            case Resumed(step=step):
                self.resume_steps[attempt] = step
                self.back_to = "", ""
                self.stage_starts = {start for start in self.stage_starts if start <= step}
                self.stages_ended = {first: end for first, end in self.stages_ended.items() if end <= step}
            case StageStarted(first_step=start):
                self.stage_starts.add(start)
            case StageEnded(first_step=first, step=step):
                self.stages_ended[first] = step
            case CheckpointSaved(checkpoint=record):
                self.known[record.name] = record
            case CheckpointDeleted(name=name):
                self.known.pop(name, None)
                self.deleted.add(name)
            case ArtefactWritten(file=file, sha256=sha256):
                self.artefacts[file] = sha256
            case SamplesTaken(step=step):
                self.measured[step] = attempt
            case Scored(step=step, value=value):
                self.measured[step] = attempt
                self.scores[attempt, step] = value
            case RangeCellBegan(index=index):
                self.range_begun.add(index)
            case RangeCellTrained(index=index):
                self.range_cells[index] = event
            case RangeTested():
                self.range_is_tested = True
            case SettingChanged():
                self.changes.append(event.change)
            case Alert(severity="warning" | "critical"):
                self._keep_before(event.since or event.step)
            case _:
                pass

    def note(self, row: MetricRow) -> None:
        """Fold the numbers of a step."""
        if row.batch is None and row.values:
            self.measured[row.step] = row.attempt

    def is_measured(self, step: int) -> bool:
        """Whether weights of the final lineage were evaluated after `step` updates."""
        return step in self.measured and not self.is_superseded(self.measured[step], step)

    def is_superseded(self, attempt: int, step: int) -> bool:
        """Whether a later attempt went on from before `step`, so that these weights are off the final lineage."""
        return any(a > attempt and resumed < step for a, resumed in self.resume_steps.items())

    def _keep_before(self, step: int) -> None:
        before = [r for r in self.known.values() if r.step < step and not self.is_superseded(r.attempt, r.step)]
        if before and (newest := max(r.step for r in before)) not in self.good:
            self.good.append(newest)

    def best_first(self, config_hash: str) -> list[CheckpointRecord]:
        """Checkpoints that may be resumed from, newest first."""
        usable = [
            r for r in self.known.values() if r.config_hash == config_hash and not self.is_superseded(r.attempt, r.step)
        ]
        return sorted(usable, key=lambda r: (r.step, r.attempt), reverse=True)

    def resume_points(self, config_hash: str) -> list[CheckpointRecord]:
        """The one that a person chose to go back to, else those that may be resumed from, newest first."""
        usable, (back_to, _) = self.best_first(config_hash), self.back_to
        return [r for r in usable if r.name == back_to] if back_to else usable

    def of_steps(self, config_hash: str, *steps: int) -> list[CheckpointRecord]:
        """Those of these steps, newest first."""
        return [r for r in self.best_first(config_hash) if r.step in steps]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a listing of the server says about the store's knowledge.

    Attributes:
        adopted: Checkpoints of ours that nobody recorded, because their writer died first.
        gone: Recorded ones that the server no longer has.
        leftovers: Paths of ours that belong to no checkpoint: half of one that was being saved or deleted.
    """

    adopted: tuple[CheckpointRecord, ...]
    gone: tuple[CheckpointRecord, ...]
    leftovers: tuple[str, ...]


def reconcile(lineage: Lineage, listed: Sequence[RemoteCheckpoint]) -> Reconciliation:
    """Compare the store with a complete listing of the run's checkpoints."""
    training = {c.name: c for c in listed if c.kind == "training"}
    samplers = {c.name: c for c in listed if c.kind == "sampler"}
    adopted: list[CheckpointRecord] = []
    leftovers: list[str] = []
    for name, remote in training.items():
        if name in lineage.known:
            continue
        record = adoptable(remote, samplers.get(name))
        if name in lineage.deleted or record is None:
            leftovers += [remote.path]
        else:
            adopted.append(record)
    kept = {r.name for r in adopted} | (lineage.known.keys() & training.keys())
    leftovers += [c.path for name, c in samplers.items() if name not in kept]
    gone = tuple(r for name, r in lineage.known.items() if name not in training)
    return Reconciliation(tuple(adopted), gone, tuple(leftovers))


def adoptable(remote: RemoteCheckpoint, sampler: RemoteCheckpoint | None) -> CheckpointRecord | None:
    """The record of a checkpoint from what the server keeps with it; None when it is not one of ours."""
    named = parse_checkpoint_name(remote.name)
    if named is None:
        return None
    data = remote.metadata
    try:
        cursor = DataCursor(epoch=int(data["epoch"]), batch=int(data["batch"]))
    except (KeyError, ValueError):
        return None
    said: list[CheckpointReason] = [r for r in _REASONS if r == data.get("reason")]
    return CheckpointRecord(
        name=remote.name,
        attempt=named[0],
        step=named[1],
        cursor=cursor,
        # The last weights are final only when they can also be sampled: half of such a save is a resume point.
        reason="periodic" if not said or (said[0] in KEPT and sampler is None) else said[0],
        state_path=remote.path,
        sampler_path=sampler.path if sampler else None,
        expires_at=remote.expires_at,
        config_hash=data.get("config_hash", ""),
        adopted=True,
    )


def to_delete(
    lineage: Lineage,
    val_rank: Mapping[int, float],
    *,
    best_step: int | None = None,
    borders: Sequence[int] = (),
    keep_last: int = 2,
) -> list[CheckpointRecord]:
    """Checkpoints not worth their storage: all but the last ones, the best by validation, good ones, and results.

    Args:
        lineage: What is recorded.
        val_rank: How good validation found the weights, by step; lower is better.
        best_step: The best by what early stopping looks at.
        borders: Last step of each stage, each of which keeps its own best; one stage when empty.
        keep_last: How many of the last are kept.
    """
    lived = _lived(lineage)
    kept = {r.name for r in lived[-keep_last:]} | {r.name for r in lived if r.reason in KEPT}
    kept |= {r.name for r in lived if r.step == best_step or r.step in lineage.good}
    for first, last in pairwise([0, *borders] if borders else [0, 2**62]):
        if (best := _best([r for r in lived if first < r.step <= last], val_rank)) is not None:
            kept.add(best.name)
    ordered = sorted(lineage.known.values(), key=lambda r: (r.step, r.attempt))
    return [r for r in ordered if r.name not in kept]


def chosen(
    lineage: Lineage, val_rank: Mapping[int, float], first: int, last: int, *, best: bool
) -> CheckpointRecord | None:
    """The checkpoint of more than `first` and at most `last` updates that is the best by validation, or the furthest.

    Weights that nobody validated are never the best while others were.
    """
    among = [r for r in _lived(lineage) if first < r.step <= last]
    found = _best(among, val_rank) if best else None
    return found or (among[-1] if among else None)


def _lived(lineage: Lineage) -> list[CheckpointRecord]:
    """By step, one each; what a later attempt went back behind, or saved again, is never resumed from."""
    ordered = sorted(lineage.known.values(), key=lambda r: (r.step, r.attempt))
    return list({r.step: r for r in ordered if not lineage.is_superseded(r.attempt, r.step)}.values())


def _best(records: Sequence[CheckpointRecord], val_rank: Mapping[int, float]) -> CheckpointRecord | None:
    validated = [r for r in records if math.isfinite(val_rank.get(r.step, math.nan))]
    return min(validated, key=lambda r: (val_rank[r.step], -r.step), default=None)
