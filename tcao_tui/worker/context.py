"""What a training method may do: the worker's side of `methods.port.RunContext`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor
from tcao_tui.domain.events import (
    ControlHandled,
    LogLine,
    MetricRow,
    Phase,
    PhaseChanged,
    RunEvent,
    SamplesTaken,
    Scored,
    Spend,
)
from tcao_tui.domain.plan import Plan, config_hash
from tcao_tui.domain.training_config import SettingChange
from tcao_tui.errors import TcaoError
from tcao_tui.methods.barriers import stronger
from tcao_tui.methods.port import Directive
from tcao_tui.worker.changing import settings_from
from tcao_tui.worker.checkpointing import Checkpoints
from tcao_tui.worker.inbox import Inbox
from tcao_tui.worker.journal import Journal
from tcao_tui.worker.recovery import KEPT, chosen
from tcao_tui.worker.watch import Watch

_EXTEND_SECONDS = 3600.0


class WorkerContext:
    """One attempt as its method sees it.

    Args:
        plan: The approved plan.
        backend: The Tinker client of this attempt.
        resume_point: Where to start from; None for the base model.
        journal: Where facts are committed.
        checkpoints: The checkpoint protocol.
        inbox: What people want.
        watch: What watch rules, early stopping and the pilot want.
        run_dir: The run's directory.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        backend: TinkerBackend,
        resume_point: CheckpointRecord | None,
        journal: Journal,
        checkpoints: Checkpoints,
        inbox: Inbox,
        watch: Watch,
        run_dir: Path,
    ) -> None:
        self._run_dir = run_dir
        self._plan, self._backend, self._resume_point = plan, backend, resume_point
        self._journal, self._checkpoints, self._inbox, self._watch = journal, checkpoints, inbox, watch
        self._cap_usd = plan.budget.max_cost_usd

    @property
    def plan(self) -> Plan:
        """The approved plan; paths are absolute."""
        return self._plan

    @property
    def resume_point(self) -> CheckpointRecord | None:
        """The checkpoint to start from."""
        return self._resume_point

    @property
    def start_path(self) -> str | None:
        """Training state whose weights a new run starts from."""
        return self._plan.start_from

    @property
    def stage_checkpoints(self) -> Mapping[str, CheckpointRecord]:
        """Nothing: stages are the business of the pipeline."""
        return {}

    @property
    def run_dir(self) -> Path:
        """Where artefacts for people go."""
        return self._run_dir

    def artefact(self, file: str) -> str:
        """Hash that was last recorded of a file in the run's directory."""
        return self._journal.lineage.artefacts.get(file, "")

    @property
    def backend(self) -> TinkerBackend:
        """The Tinker client of this attempt."""
        return self._backend

    def emit(self, *events: RunEvent) -> None:
        """Commit facts, and what the watch finds in them."""
        self._journal.commit(*events, *self._watch.hear(events))

    def record_step(
        self,
        step: int,
        values: Mapping[str, float],
        *,
        trained: DataCursor | None = None,
        spends: Sequence[Spend] = (),
        found: Sequence[SamplesTaken | Scored] = (),
    ) -> None:
        """Commit the numbers of one step, what it cost and what the watch finds in all of it, in one transaction."""
        row = MetricRow(
            attempt=self._journal.attempt,
            step=step,
            at=self._journal.clock(),
            epoch=trained.epoch if trained else None,
            batch=trained.batch if trained else None,
            values=dict(values),
        )
        alerts = [*self._watch.look(row, spends), *self._watch.hear(found)]
        self._journal.commit(*found, *alerts, metrics=[row], spends=spends)
        self._checkpoints.best_step = self._watch.best_step

    def record_spends(self, spends: Sequence[Spend]) -> None:
        """Commit what was spent on no update of the run, and what the watch finds in it."""
        self._journal.commit(*self._watch.paid(spends), spends=spends)

    async def save_checkpoint(
        self, trainer: Trainer, *, step: int, cursor: DataCursor, reason: CheckpointReason
    ) -> CheckpointRecord:
        """Save on the server, commit, thin out older ones; answers the requests that it carries out.

        Weights after a loss that is no number are not saved, so that a resume goes on from the last good ones.

        Raises:
            TcaoError: There are no good ones.
        """
        if self._watch.is_spoiled and reason not in KEPT:
            return self._last_good(step)
        answers = self._inbox.answers("checkpoint")
        record = await self._checkpoints.save(trainer, step=step, cursor=cursor, reason=reason, answers=answers)
        self._inbox.answered(answers)
        self._watch.saved(step)
        if self._inbox.stop.cause == "early_stopping" and self._watch.best_step is not None:
            await self._checkpoints.keep(self._watch.best_step)
        return record

    def chosen(self, first: int, last: int, *, best: bool) -> CheckpointRecord | None:
        """A recorded checkpoint of these steps."""
        return chosen(self._journal.lineage, self._journal.val_rank, first, last, best=best)

    def has_begun(self, first_step: int) -> bool:
        """Whether the stage after so many updates had begun."""
        return first_step in self._journal.lineage.stage_starts

    def has_ended(self, first_step: int) -> bool:
        """Whether early stopping ended the stage after so many updates."""
        return first_step in self._journal.lineage.stages_ended

    def is_measured(self, step: int) -> bool:
        """Whether what an eval found of these weights is recorded, on the lineage."""
        return self._journal.lineage.is_measured(step)

    def settings_from(self, step: int) -> Sequence[SettingChange]:
        """Changes in force for updates from `step` on; commits what people asked for, with answers, and the plan's."""
        return settings_from(self._plan, step, self._journal, self._inbox)

    async def directive(self) -> Directive:
        """What a person, the budget or the watch wants now."""
        if self._cap_usd is not None:
            spent = self._journal.spent_usd
            # A cap that cannot be kept, since a price is unknown, counts as reached.
            if spent is None or (spent >= self._cap_usd and spent > 0):
                self._inbox.stop.set("budget")
        await self._checkpoints.keep_good()
        order = self._watch.order
        if order is not None and order.directive is Directive.STOP:
            self._inbox.stop.set(order.cause, order.why)
        asked = self._inbox.directive()
        if order is not None:
            return stronger(asked, order.directive)
        return Directive.CHECKPOINT if asked is Directive.CONTINUE and self._watch.wants_checkpoint else asked

    async def may_begin(self) -> bool:
        """Obey what was ordered before an earlier worker died: wait while it is a pause; False when it is a stop."""
        match await self.directive():
            case Directive.STOP:
                return False
            case Directive.PAUSE:
                return await self.paused() is Directive.CONTINUE
            case _:
                return True

    async def paused(self) -> Directive:
        """Say why, and wait until the pause is over; resume points are kept from expiring meanwhile."""
        answers = self._inbox.answers("pause", "checkpoint")
        self._say("paused", answers, detail="" if self._watch.order is None else self._watch.order.why)
        loop = asyncio.get_running_loop()
        extended_at = loop.time()
        while True:
            await asyncio.sleep(self._inbox.poll_seconds)
            directive = self._inbox.directive()
            if directive is Directive.STOP:
                return directive
            if self._inbox.first("resume"):
                self._say("training", self._inbox.answers("resume", "pause", "checkpoint"))
                self._watch.obeyed()
                return Directive.CONTINUE
            if refused := self._inbox.answers("pause", "checkpoint", accepted=False, reason="paused already"):
                self._journal.commit(*refused)
                self._inbox.answered(refused)
            if loop.time() - extended_at > _EXTEND_SECONDS:
                extended_at = loop.time()
                await self._checkpoints.thin_out()

    def _last_good(self, step: int) -> CheckpointRecord:
        record = next(iter(self._journal.lineage.best_first(config_hash(self._plan))), None)
        if record is None:
            raise TcaoError(
                f"the loss of step {step} is not a number, and no checkpoint was saved before",
                where=f"step {step}",
                next_step="start anew with a lower training.learning_rate, or training.grad_clip_norm 1.0",
            )
        said = f"the weights of step {step} are not saved, since its loss is no number; {record.name} is the last good"
        answers = self._inbox.answers("checkpoint", accepted=False, reason="the loss is not a number")
        self._journal.commit(LogLine(level="warning", message=said), *answers)
        self._inbox.answered(answers)
        return record

    def _say(self, phase: Phase, answers: list[ControlHandled], *, detail: str = "") -> None:
        self._journal.commit(PhaseChanged(phase=phase, detail=detail), *answers)
        self._inbox.answered(answers)
