"""Facts about how a training goes: its stages, what it learned from, what the watch rules found, what was changed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tcao_tui.domain.event import Event
from tcao_tui.domain.training_config import SettingChange, SettingKey

Severity = Literal["note", "warning", "critical"]


class StageStarted(Event):
    """A stage of a pipeline begins or goes on: it trains updates `first_step + 1` to `first_step + num_steps`."""

    kind: Literal["stage_started"] = "stage_started"
    index: int
    name: str
    method: str
    first_step: int
    num_steps: int
    stages: int
    started_from: str = ""


class StageMeasured(Event):
    """What a later stage found of its weights before its first update, with the score as `score`.

    The row of that step is that of the stage before, which may have ended with other weights.
    """

    kind: Literal["stage_measured"] = "stage_measured"
    index: int
    name: str
    step: int
    values: dict[str, float]


class StageEnded(Event):
    """Early stopping ended a stage at `step`; updates up to `last_step`, its last by the plan, are left out."""

    kind: Literal["stage_ended"] = "stage_ended"
    index: int
    name: str
    first_step: int
    step: int
    last_step: int


class RolloutsTaken(Event):
    """Answers that update `step` learned from lie in `file` of the run's directory.

    Attributes:
        file: Relative to the run's directory; one JSON group per line, see `domain.rollouts`.
        mean_reward: Over all answers.
    """

    kind: Literal["rollouts"] = "rollouts"
    step: int
    file: str
    groups: int
    answers: int
    mean_reward: float


class ArtefactWritten(Event):
    """A file that the training depends on lies in the run's directory, whole; a later one of its name replaces it.

    Attributes:
        file: Relative to the run's directory.
        sha256: Of its bytes, hex: only a file with this hash is ever read back.
    """

    kind: Literal["artefact_written"] = "artefact_written"
    file: str
    sha256: str
    rows: int


class Alert(Event):
    """A watch rule found something.

    Attributes:
        rule: Name of the rule, or `early_stopping`.
        since: First step of what it found; checkpoints before it are good.
        evidence: The numbers it saw, in words.
        suggestion: What to change.
        action: What the worker does about it.
    """

    kind: Literal["alert"] = "alert"
    rule: str
    severity: Severity
    step: int
    since: int = 0
    evidence: str
    suggestion: str = ""
    action: str = "note"


class PilotEnded(Event):
    """The pilot was judged: `findings` say why it did not pass; `measured` are its numbers by name."""

    kind: Literal["pilot_ended"] = "pilot_ended"
    step: int
    passed: bool
    findings: tuple[str, ...] = ()
    measured: dict[str, float] = Field(default={})


class RangeCellBegan(Event):
    """A cell of the pilot's range test begins on a new LoRA.

    Attributes:
        index: Counts from 1, up to `cells`.
        is_own: Whether these are the plan's own values.
        again: An earlier worker died amid it: what it had trained counts for nothing, and was paid for.
    """

    kind: Literal["range_cell_began"] = "range_cell_began"
    index: int
    cells: int
    learning_rate: float
    lora_rank: int
    is_own: bool
    again: bool = False


class RangeCellTrained(Event):
    """A cell is done, once in the life of a run; `losses` by step, the last None where it was no number."""

    kind: Literal["range_cell_trained"] = "range_cell_trained"
    index: int
    learning_rate: float
    lora_rank: int
    is_own: bool
    losses: tuple[float | None, ...]


class RangeTested(Event):
    """The range test was read, once in the life of a run.

    Attributes:
        sentence: What its losses say.
        finding: Why the plan's own values do not lie in the good range, with a change; empty when they do.
        action: What the worker does about it.
        best: Number of the best cell; 0 when the test cannot tell.
    """

    kind: Literal["range_tested"] = "range_tested"
    passed: bool
    sentence: str
    finding: str = ""
    action: Literal["note", "pause", "stop"] = "note"
    best: int = 0


class SettingChanged(Event):
    """A person changed a setting of the running training: it holds from update `step` on."""

    kind: Literal["setting_changed"] = "setting_changed"
    step: int
    key: SettingKey
    old: float
    value: float
    by: str
    why: str = ""

    @property
    def change(self) -> SettingChange:
        """The same as a part of a plan, so that a replay repeats it."""
        return SettingChange(step=self.step, key=self.key, value=self.value, by=self.by, why=self.why)
