"""A stage's view of the run: its own plan, its own steps from 0, and the weights that it starts from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor
from tcao_tui.domain.events import DataLoaded, RolloutsTaken, RunEvent, SamplesTaken, Scored, Spend
from tcao_tui.domain.pipeline import StagePlan
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import SettingChange
from tcao_tui.domain.training_events import ArtefactWritten, StageMeasured
from tcao_tui.methods.port import Directive, RunContext

STAGES_DIR = "stages"
"""Directory of the stages' artefacts inside the run's."""


class StageContext:
    """A `RunContext` within another one.

    Args:
        run: The run's.
        stage: The stage.
        is_last: Whether its final weights are the run's.
        start_path: Training state that it starts from; None: a new LoRA.
        stage_checkpoints: What earlier stages chose, by stage.
    """

    def __init__(
        self,
        run: RunContext,
        stage: StagePlan,
        *,
        is_last: bool,
        start_path: str | None,
        stage_checkpoints: Mapping[str, CheckpointRecord],
    ) -> None:
        self._run, self._stage, self._is_last = run, stage, is_last
        self.start_path = start_path
        self.stage_checkpoints = stage_checkpoints

    @property
    def plan(self) -> Plan:
        """The stage's plan."""
        return self._stage.plan

    @property
    def resume_point(self) -> CheckpointRecord | None:
        """The run's, while it lies inside this stage; the stage's last weights are final to its method."""
        point, first = self._run.resume_point, self._stage.first_step
        if point is None or not first < point.step <= self._stage.last_step:
            return None
        reason: CheckpointReason = "final" if point.reason == "stage" else point.reason
        return point.model_copy(update={"step": point.step - first, "reason": reason})

    @property
    def run_dir(self) -> Path:
        """A directory of the stage's own inside the run's."""
        place = self._run.run_dir / STAGES_DIR / self._stage.name
        place.mkdir(parents=True, exist_ok=True)
        return place

    def artefact(self, file: str) -> str:
        """Hash that was last recorded of a file in the stage's directory."""
        return self._run.artefact(self._in_run(file))

    @property
    def backend(self) -> TinkerBackend:
        """The run's."""
        return self._run.backend

    def emit(self, *events: RunEvent) -> None:
        """Commit facts, their steps counted through the run."""
        for event in events:
            self._run.emit(self._counted_through(event))

    def record_step(
        self,
        step: int,
        values: Mapping[str, float],
        *,
        trained: DataCursor | None = None,
        spends: Sequence[Spend] = (),
        found: Sequence[SamplesTaken | Scored] = (),
    ) -> None:
        """Commit the numbers of one step; its batch is counted in the stage's own data.

        What a stage measures before its first update is its baseline: the step's row is that of the stage before, and
        so are samples and scores.
        """
        first = self._stage.first_step
        paid = [spend.model_copy(update={"step": spend.step + first}) for spend in spends]
        if first and step == 0:
            scored = next((event.value for event in found if isinstance(event, Scored)), None)
            self._measured(values if scored is None else {**values, "score": scored})
            values, found = {}, ()
        counted = [event.model_copy(update={"step": event.step + first}) for event in found]
        self._run.record_step(step + first, values, trained=trained, spends=paid, found=counted)

    async def save_checkpoint(
        self, trainer: Trainer, *, step: int, cursor: DataCursor, reason: CheckpointReason
    ) -> CheckpointRecord:
        """Save; the last weights of a stage before the last are kept as that stage's result."""
        kept: CheckpointReason = "stage" if reason == "final" and not self._is_last else reason
        return await self._run.save_checkpoint(trainer, step=step + self._stage.first_step, cursor=cursor, reason=kept)

    def chosen(self, first: int, last: int, *, best: bool) -> CheckpointRecord | None:
        """A recorded checkpoint of the stage's steps."""
        by = self._stage.first_step
        return self._run.chosen(first + by, last + by, best=best)

    def settings_from(self, step: int) -> Sequence[SettingChange]:
        """Changes in force, counted from the stage's start."""
        first = self._stage.first_step
        changes = self._run.settings_from(step + first)
        return [c.model_copy(update={"step": max(1, c.step - first)}) for c in changes if c.step > first]

    def has_begun(self, first_step: int) -> bool:
        """Stages do not nest."""
        return False

    def has_ended(self, first_step: int) -> bool:
        """Stages do not nest."""
        return False

    def is_measured(self, step: int) -> bool:
        """Whether an eval of the stage's weights is recorded."""
        return self._run.is_measured(step + self._stage.first_step)

    async def directive(self) -> Directive:
        """What a person, the budget or the watch wants now."""
        return await self._run.directive()

    async def paused(self) -> Directive:
        """Wait until the pause is over."""
        return await self._run.paused()

    def _measured(self, values: Mapping[str, float]) -> None:
        known = {key: value for key, value in values.items() if math.isfinite(value)}
        if known:
            stage = self._stage
            self._run.emit(StageMeasured(index=stage.index, name=stage.name, step=stage.first_step, values=known))

    def _in_run(self, file: str) -> str:
        return f"{STAGES_DIR}/{self._stage.name}/{file}"

    def _counted_through(self, event: RunEvent) -> RunEvent:
        first = self._stage.first_step
        match event:
            case DataLoaded():
                return event.model_copy(update={"first_step": first})
            case RolloutsTaken():
                return event.model_copy(update={"step": event.step + first, "file": self._in_run(event.file)})
            case ArtefactWritten():
                return event.model_copy(update={"file": self._in_run(event.file)})
            case _:
                return event
