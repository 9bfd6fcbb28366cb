"""What a training method is, and all that it may do.

A method has a light `spec` (anyone may import it) and a heavy `run` (only the worker loads it). It never touches the
store, the lease or the screen: it acts through `RunContext`, so every method survives, pauses and resumes alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import ClassVar, Protocol

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor
from tcao_tui.domain.events import RunEvent, SamplesTaken, Scored, Spend
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import SettingChange


class Directive(Enum):
    """What the worker wants of the method after a step."""

    CONTINUE = auto()
    CHECKPOINT = auto()
    PAUSE = auto()
    FINISH = auto()
    """Trained enough: the present weights are the result, and a pipeline goes on with its next stage."""
    STOP = auto()


class RunContext(Protocol):
    """The worker as a method sees it. Every call that commits raises `Fenced` when another worker took the run."""

    @property
    def plan(self) -> Plan:
        """The approved plan; paths are absolute."""
        ...

    @property
    def resume_point(self) -> CheckpointRecord | None:
        """The checkpoint to start from; None for a new run."""
        ...

    @property
    def start_path(self) -> str | None:
        """Training state whose weights a new run starts from, with a fresh optimiser; None: a new LoRA."""
        ...

    @property
    def stage_checkpoints(self) -> Mapping[str, CheckpointRecord]:
        """Chosen checkpoints of the stages before this one, by stage; empty outside a pipeline."""
        ...

    @property
    def run_dir(self) -> Path:
        """Where artefacts for people go; what is written there is never read back as truth."""
        ...

    def artefact(self, file: str) -> str:
        """Hash that was last recorded of a file that the training depends on, see `ArtefactWritten`; "" when never."""
        ...

    @property
    def backend(self) -> TinkerBackend:
        """The Tinker client of this attempt."""
        ...

    def emit(self, *events: RunEvent) -> None:
        """Commit facts."""
        ...

    def record_step(
        self,
        step: int,
        values: Mapping[str, float],
        *,
        trained: DataCursor | None = None,
        spends: Sequence[Spend] = (),
        found: Sequence[SamplesTaken | Scored] = (),
    ) -> None:
        """Commit the numbers of one step, what it cost and what else was found of its weights in one transaction.

        Args:
            step: Updates applied when the row's weights result.
            values: Metric key to number.
            trained: Which batch this update trained; None for rows that trained nothing.
            spends: Tokens used and their price.
            found: What the weights answered and scored: a worker that dies leaves no eval half recorded.
        """
        ...

    async def save_checkpoint(
        self, trainer: Trainer, *, step: int, cursor: DataCursor, reason: CheckpointReason
    ) -> CheckpointRecord:
        """Save on the server, then commit, then thin out older ones, in that order (ARCHITECTURE §5)."""
        ...

    def chosen(self, first: int, last: int, *, best: bool) -> CheckpointRecord | None:
        """A recorded checkpoint of more than `first` and at most `last` updates, on the lineage.

        Args:
            first: Updates applied that are too few.
            last: Updates applied at most.
            best: The best by validation where there was one; else, and without, the furthest.
        """
        ...

    def has_begun(self, first_step: int) -> bool:
        """Whether the stage that begins after so many updates had begun before this attempt, on the lineage."""
        ...

    def has_ended(self, first_step: int) -> bool:
        """Whether early stopping ended the stage that begins after so many updates, on the lineage."""
        ...

    def is_measured(self, step: int) -> bool:
        """Whether what an eval found of the weights after `step` updates is recorded, on the lineage."""
        ...

    def settings_from(self, step: int) -> Sequence[SettingChange]:
        """Changes in force for updates from `step` on, oldest first; commits those that people asked for meanwhile.

        Ask right before update `step` is submitted: what is returned holds from it on.
        """
        ...

    async def directive(self) -> Directive:
        """What a person or the budget wants now; cheap enough to ask after every step."""
        ...

    async def paused(self) -> Directive:
        """Say "paused" and wait, the checkpoint of the pause being saved, until it is over: CONTINUE or STOP."""
        ...


class MethodSpec(Protocol):
    """The light part: a name, a sentence, and the metrics that the method emits, most telling first."""

    name: ClassVar[str]
    summary: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]


class Method(Protocol):
    """The heavy part: `run.py` has a function of this shape."""

    async def __call__(self, context: RunContext) -> None:
        """Carry the plan out from `context.resume_point` to its last step, or until FINISH or STOP."""
        ...
