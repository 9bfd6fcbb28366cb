"""Typed facts of a run. The worker appends them, nobody changes them, and `run_state` folds them.

Per-step numbers are `MetricRow`s, which the store keeps in a table of their own.
An event kind that this version does not know is kept, counted and shown (`parse_event` gives `UnknownEvent`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.event import Event
from tcao_tui.domain.training_events import (
    Alert,
    ArtefactWritten,
    PilotEnded,
    RangeCellBegan,
    RangeCellTrained,
    RangeTested,
    RolloutsTaken,
    SettingChanged,
    StageEnded,
    StageMeasured,
    StageStarted,
)

Phase = Literal["connecting", "loading", "piloting", "training", "evaluating", "saving", "paused"]
WaitReason = Literal["capacity", "rate_limit", "billing", "outage"]
Outcome = Literal["completed", "stopped", "failed", "interrupted", "budget"]
Verb = Literal["stop", "pause", "resume", "checkpoint", "change"]


class Launched(Event):
    """A worker took the run: the hand-off that a launcher waits for.

    Attributes:
        fence: Epoch number of the lease; every commit of an older one is refused.
        resume_step: Updates already applied in the lineage that this attempt continues; 0 for a new run.
        resumed_from: Path of the checkpoint it continues from; empty for a new run.
        back_to: Name of the checkpoint that a person chose to go back to; empty for the furthest one.
        by: Who chose it.
    """

    kind: Literal["launched"] = "launched"
    fence: int
    pid: int
    host: str
    resume_step: int = 0
    resumed_from: str = ""
    back_to: str = ""
    by: str = ""
    versions: dict[str, str] = Field(default={})


class Resumed(Event):
    """The attempt goes on from a checkpoint: rows of earlier attempts past `step` are superseded.

    Attributes:
        replays: What is not exactly repeated, for people; empty when the resume is exact.
        replayed_batches: Batches at most that may be trained twice or left out because of it.
        chosen_by: Who chose to go back to it although there were later ones; empty when it is the furthest.
    """

    kind: Literal["resumed"] = "resumed"
    step: int
    checkpoint: str
    replays: str = ""
    replayed_batches: int = 0
    chosen_by: str = ""


class PhaseChanged(Event):
    """What the worker does now."""

    kind: Literal["phase"] = "phase"
    phase: Phase
    detail: str = ""


class Waiting(Event):
    """Nothing moves for a reason outside; `over` ends it. `since` is Unix seconds."""

    kind: Literal["waiting"] = "waiting"
    reason: WaitReason
    since: float
    detail: str = ""
    over: bool = False


class DataLoaded(Event):
    """Counts of the data as it will be trained; `first_step` is the updates before the stage that reads it."""

    kind: Literal["data_loaded"] = "data_loaded"
    first_step: int = 0
    train_rows: int
    val_rows: int
    batches_per_epoch: int
    train_tokens: int
    loss_tokens: int
    truncated_rows: int = 0


class CheckpointSaved(Event):
    """A checkpoint exists on the server and may be resumed from."""

    kind: Literal["checkpoint_saved"] = "checkpoint_saved"
    checkpoint: CheckpointRecord


class CheckpointDeleted(Event):
    """A checkpoint of this run was deleted on the server, by us."""

    kind: Literal["checkpoint_deleted"] = "checkpoint_deleted"
    name: str
    reason: str = ""


class Sample(BaseModel):
    """One prompt and what the model says to it; `reference` is the wanted answer where there is one."""

    model_config = ConfigDict(frozen=True)

    prompt: str
    text: str
    reference: str | None = None


class SamplesTaken(Event):
    """What the model says to the fixed prompts after `step` updates."""

    kind: Literal["samples"] = "samples"
    step: int
    samples: tuple[Sample, ...]


class Scored(Event):
    """Layer-3 score of the weights after `step` updates: `correct` of `total`; `unscored` were not graded."""

    kind: Literal["scored"] = "scored"
    step: int
    name: str
    correct: int
    total: int
    unscored: int = 0

    @property
    def value(self) -> float | None:
        """Share of graded rows that are right, 0 to 1; None when nothing could be graded."""
        return self.correct / self.total if self.total else None

    @property
    def counts(self) -> str:
        """`80 of 100, 3 unscored`."""
        return f"{self.correct} of {self.total}" + (f", {self.unscored} unscored" if self.unscored else "")


class ControlHandled(Event):
    """A request of a console was carried out or refused."""

    kind: Literal["control_handled"] = "control_handled"
    request_id: int
    verb: Verb
    accepted: bool
    reason: str = ""


class LogLine(Event):
    """Something worth telling a person."""

    kind: Literal["log"] = "log"
    level: Literal["info", "warning", "error"] = "info"
    message: str


class Finished(Event):
    """The attempt ended by its own will; an attempt without it was killed."""

    kind: Literal["finished"] = "finished"
    outcome: Outcome
    exit_code: int
    what: str = ""
    where: str = ""
    next_step: str = ""


class UnknownEvent(Event):
    """An event of another version; shown and counted, never dropped."""

    kind: str
    body: dict[str, Any] = Field(default={})


RunEvent = (
    Launched
    | Resumed
    | PhaseChanged
    | Waiting
    | DataLoaded
    | CheckpointSaved
    | CheckpointDeleted
    | SamplesTaken
    | Scored
    | StageStarted
    | StageMeasured
    | StageEnded
    | RolloutsTaken
    | Alert
    | PilotEnded
    | RangeCellBegan
    | RangeCellTrained
    | RangeTested
    | SettingChanged
    | ArtefactWritten
    | ControlHandled
    | LogLine
    | Finished
)

_ADAPTER: TypeAdapter[RunEvent] = TypeAdapter(Annotated[RunEvent, Field(discriminator="kind")])


def parse_event(kind: str, body: str | bytes) -> RunEvent | UnknownEvent:
    """Read a stored event; anything this version does not understand becomes an `UnknownEvent`."""
    try:
        return _ADAPTER.validate_json(body)
    except ValidationError:
        return UnknownEvent(
            kind=kind, body={"raw": body.decode("utf-8", "replace") if isinstance(body, bytes) else body}
        )


class StoredEvent(BaseModel):
    """An event with its place in the store: `at` is Unix seconds, UTC."""

    model_config = ConfigDict(frozen=True)

    seq: int
    run_id: str
    attempt: int
    at: float
    event: RunEvent | UnknownEvent


class MetricRow(BaseModel):
    """Numbers of one step of one attempt.

    Attributes:
        step: Updates applied when the row's weights result; 0 is the model before training.
        epoch, batch: Which batch update `step` trained; None for rows that trained nothing (validation).
        values: Metric key to number; NaN and infinities are kept.
    """

    model_config = ConfigDict(frozen=True)

    attempt: int
    step: int
    at: float
    epoch: int | None = None
    batch: int | None = None
    values: dict[str, float]


class Spend(BaseModel):
    """Tokens used by one side effect and their price; `usd` None is unknown, never 0."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["train", "prefill", "sample"]
    step: int
    tokens: int
    usd: float | None
