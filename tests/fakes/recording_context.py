"""A worker that only remembers: what a method emitted, recorded and saved, in order.

Out of scope: the store, the lease, retries. `script` maps a step to the directive that is given after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import MetricRow, RunEvent, SamplesTaken, Scored, Spend
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import SettingChange, SettingKey
from tcao_tui.domain.training_events import ArtefactWritten, StageEnded
from tcao_tui.methods.port import Directive


class RecordingContext:
    """A `RunContext` without a store.

    Attributes:
        log: One short line per side effect, in order.
        on_event: Called with every event, for tests that follow along.
        requests: Settings that a person asks for, by the step after whose record that happens.
        script: A FINISH stands until the pipeline has said that the stage ended.
        measured: Steps whose weights were evaluated.
        late: Like `script`, but only once the step's checkpoint is saved.
    """

    def __init__(
        self,
        plan: Plan,
        backend: TinkerBackend,
        *,
        resume_point: CheckpointRecord | None = None,
        attempt: int = 1,
        script: Mapping[int, Directive] | None = None,
        after_pause: Directive = Directive.CONTINUE,
        on_event: Callable[[RunEvent], None] | None = None,
        run_dir: Path | None = None,
        stage_checkpoints: Mapping[str, CheckpointRecord] | None = None,
        artefacts: Mapping[str, str] | None = None,
        begun: Sequence[int] = (),
        measured: Sequence[int] = (),
        late: Mapping[int, Directive] | None = None,
        requests: Mapping[int, tuple[SettingKey, float]] | None = None,
    ) -> None:
        self.start_path = plan.start_from
        self.stage_checkpoints = dict(stage_checkpoints or {})
        self.artefacts, self.begun, self.late = dict(artefacts or {}), set(begun), dict(late or {})
        self.run_dir = run_dir or Path("/nowhere")
        self.changes: list[SettingChange] = list(plan.training.changes)
        self.measured = set(measured)
        self.requests = dict(requests or {})
        self.plan = plan
        self.backend = backend
        self.resume_point = resume_point
        self.attempt = attempt
        self.script = dict(script or {})
        self.after_pause = after_pause
        self.on_event = on_event
        self.step = 0 if resume_point is None else resume_point.step
        self.log: list[str] = []
        self.events: list[RunEvent] = []
        self.rows: list[MetricRow] = []
        self.spends: list[Spend] = []
        self.checkpoints: list[CheckpointRecord] = []

    def emit(self, *events: RunEvent) -> None:
        for event in events:
            self.events.append(event)
            if isinstance(event, StageEnded):
                self.script.pop(event.step)
            self.log.append(f"{event.kind} {getattr(event, 'phase', getattr(event, 'step', ''))}".strip())
            if self.on_event is not None:
                self.on_event(event)

    def record_step(
        self,
        step: int,
        values: Mapping[str, float],
        *,
        trained: DataCursor | None = None,
        spends: Sequence[Spend] = (),
        found: Sequence[SamplesTaken | Scored] = (),
    ) -> None:
        place = {} if trained is None else {"epoch": trained.epoch, "batch": trained.batch}
        self.rows.append(MetricRow(attempt=self.attempt, step=step, at=0.0, values=dict(values), **place))
        self.spends.extend(spends)
        self.log.append(f"{'row' if trained is None else 'step'} {step}")
        self.step = step
        self.emit(*found)

    async def save_checkpoint(
        self, trainer: Trainer, *, step: int, cursor: DataCursor, reason: CheckpointReason
    ) -> CheckpointRecord:
        name = checkpoint_name(self.attempt, step)
        saved = await trainer.save(name, ttl_seconds=None, metadata={"tcao_run": "fake", "step": str(step)})
        record = CheckpointRecord(
            name=name,
            attempt=self.attempt,
            step=step,
            cursor=cursor,
            reason=reason,
            state_path=saved.state_path,
            sampler_path=saved.sampler_path,
        )
        self.checkpoints.append(record)
        self.log.append(f"save {step} {reason}")
        return record

    def artefact(self, file: str) -> str:
        written = [e for e in self.events if isinstance(e, ArtefactWritten) and e.file == file]
        return written[-1].sha256 if written else self.artefacts.get(file, "")

    def chosen(self, first: int, last: int, *, best: bool) -> CheckpointRecord | None:
        found = [record for record in self.checkpoints if first < record.step <= last]
        return found[-1] if found else None

    def has_begun(self, first_step: int) -> bool:
        return first_step in self.begun

    def has_ended(self, first_step: int) -> bool:
        return any(isinstance(event, StageEnded) and event.first_step == first_step for event in self.events)

    def is_measured(self, step: int) -> bool:
        return step in self.measured

    def settings_from(self, step: int) -> Sequence[SettingChange]:
        for asked_at in [asked_at for asked_at in self.requests if asked_at <= self.step]:
            key, value = self.requests.pop(asked_at)
            self.changes.append(SettingChange(step=step, key=key, value=value))
        return [change for change in self.changes if change.step <= step]

    async def directive(self) -> Directive:
        given = self.script.get(self.step)
        if given is not Directive.FINISH:
            self.script.pop(self.step, None)
        if given is None and any(record.step == self.step for record in self.checkpoints):
            given = self.late.pop(self.step, None)
        return Directive.CONTINUE if given is None else given

    async def paused(self) -> Directive:
        self.log.append("waited")
        return self.after_pause

    @property
    def trained(self) -> list[tuple[int, int]]:
        """(epoch, batch) of every update, in order."""
        return [(row.epoch, row.batch) for row in self.rows if row.epoch is not None and row.batch is not None]

    def series(self, key: str) -> dict[int, float]:
        return {row.step: row.values[key] for row in self.rows if key in row.values}
