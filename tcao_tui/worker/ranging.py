"""The range test of a pilot: its cells trained before the first step, each once, and what comes of it.

A cell is a short run of the plan's own method on a new LoRA: its updates are paid for and counted in the ledger, its
numbers are no rows of the run. A worker that dies amid a cell leaves it to its successor, which trains it again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import PhaseChanged, RunEvent, SamplesTaken, Scored, Spend
from tcao_tui.domain.pilot_range import RangeCell, range_cells, range_terms
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.range_test import judge_pilot
from tcao_tui.domain.training_config import SettingChange
from tcao_tui.domain.training_events import RangeCellBegan, RangeCellTrained
from tcao_tui.domain.watch_rules.rule import signals_of
from tcao_tui.methods.at_once import at_most
from tcao_tui.methods.port import Directive, Method
from tcao_tui.worker.context import WorkerContext
from tcao_tui.worker.journal import Journal


async def carry_out(context: WorkerContext, journal: Journal, load_method: Callable[[str], Method]) -> None:
    """Obey what was ordered before, make the plan's range test, then train."""
    if await context.may_begin() and await range_tested(context, journal, load_method):
        await load_method(context.plan.method)(context)


async def range_tested(context: WorkerContext, journal: Journal, load_method: Callable[[str], Method]) -> bool:
    """Train the cells that are not trained yet and judge them all; False when the run is to stop."""
    terms = range_terms(context.plan)
    if terms is None or journal.lineage.range_is_tested:
        return True
    cells, trained = range_cells(context.plan), journal.lineage.range_cells
    pausing = asyncio.Lock()

    async def train(cell: RangeCell) -> bool:
        if await context.directive() is Directive.STOP:
            return False
        again = cell.index in journal.lineage.range_begun
        doing = f"range test, cell {cell.index} of {len(cells)}: {cell.words}"
        context.emit(PhaseChanged(phase="piloting", detail=doing), _begun(cell, len(cells), again=again))
        within = CellContext(context, cell, pausing)
        await load_method(cell.plan.method)(within)
        if within.is_done:
            context.emit(_trained(cell, within.losses))
        return within.is_done

    if not all(await at_most(terms.parallel, train, [cell for cell in cells if cell.index not in trained])):
        return False
    context.emit(judge_pilot([trained[cell.index] for cell in cells], terms))
    return await context.may_begin()


def _begun(cell: RangeCell, cells: int, *, again: bool) -> RangeCellBegan:
    config = cell.plan.training
    return RangeCellBegan(
        index=cell.index,
        cells=cells,
        learning_rate=config.learning_rate,
        lora_rank=config.lora_rank,
        is_own=cell.is_own,
        again=again,
    )


def _trained(cell: RangeCell, losses: Sequence[float]) -> RangeCellTrained:
    config = cell.plan.training
    return RangeCellTrained(
        index=cell.index,
        learning_rate=config.learning_rate,
        lora_rank=config.lora_rank,
        is_own=cell.is_own,
        losses=tuple(loss if math.isfinite(loss) else None for loss in losses),
    )


class CellContext:
    """A `RunContext` within the run's: it keeps the losses, and neither rows nor checkpoints.

    Args:
        run: The run's.
        cell: What is trained.
        pausing: Held by the cell that waits for the end of a pause, so that only one does.

    Attributes:
        losses: By step, up to the first that is no number: there is nothing to learn after it.
    """

    def __init__(self, run: WorkerContext, cell: RangeCell, pausing: asyncio.Lock) -> None:
        self._run, self._cell, self._pausing = run, cell, pausing
        self._loss = signals_of(cell.plan).loss
        self.losses: list[float] = []

    @property
    def is_done(self) -> bool:
        """Whether all steps are trained, or as many as make sense."""
        return self._is_broken or len(self.losses) == self.plan.training.num_steps

    @property
    def _is_broken(self) -> bool:
        return bool(self.losses) and not math.isfinite(self.losses[-1])

    @property
    def plan(self) -> Plan:
        """The cell's short plan."""
        return self._cell.plan

    @property
    def resume_point(self) -> CheckpointRecord | None:
        """None: a cell is trained in one go."""
        return None

    @property
    def start_path(self) -> str | None:
        """What the run starts from."""
        return self._run.start_path

    @property
    def stage_checkpoints(self) -> Mapping[str, CheckpointRecord]:
        """None: the test comes before all stages."""
        return {}

    @property
    def run_dir(self) -> Path:
        """The run's."""
        return self._run.run_dir

    def artefact(self, file: str) -> str:
        """None was written."""
        return ""

    @property
    def backend(self) -> TinkerBackend:
        """The run's."""
        return self._run.backend

    def emit(self, *events: RunEvent) -> None:
        """Nothing: what a cell says of data and phase the run says itself."""

    def record_step(
        self,
        step: int,
        values: Mapping[str, float],
        *,
        trained: DataCursor | None = None,
        spends: Sequence[Spend] = (),
        found: Sequence[SamplesTaken | Scored] = (),
    ) -> None:
        """Commit what the step cost, as spent before the run's first update, and keep its loss."""
        if trained is not None and not self._is_broken:
            self.losses.append(values.get(self._loss, math.nan))
        self._run.record_spends([spend.model_copy(update={"step": 0}) for spend in spends])

    async def save_checkpoint(
        self, trainer: Trainer, *, step: int, cursor: DataCursor, reason: CheckpointReason
    ) -> CheckpointRecord:
        """Save nothing: nobody wants these weights."""
        return CheckpointRecord(
            name=checkpoint_name(0, step), attempt=0, step=step, cursor=cursor, reason=reason, state_path=""
        )

    def chosen(self, first: int, last: int, *, best: bool) -> CheckpointRecord | None:
        """None is saved."""
        return None

    def has_begun(self, first_step: int) -> bool:
        """A cell has no stages."""
        return False

    def has_ended(self, first_step: int) -> bool:
        """A cell has no stages."""
        return False

    def is_measured(self, step: int) -> bool:
        """Nothing is measured but the training loss."""
        return False

    def settings_from(self, step: int) -> Sequence[SettingChange]:
        """None: changes are for the run's own updates."""
        return ()

    async def directive(self) -> Directive:
        """What the run is asked for; there is no checkpoint to save."""
        if self._is_broken:
            return Directive.STOP
        asked = await self._run.directive()
        return Directive.CONTINUE if asked is Directive.CHECKPOINT else asked

    async def paused(self) -> Directive:
        """Wait until the pause is over, which may have been while another cell waited."""
        async with self._pausing:
            asked = await self._run.directive()
            return await self._run.paused() if asked is Directive.PAUSE else asked
