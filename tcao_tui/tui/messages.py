"""What happens on the screens: facts from the feeds, and intents, which are what a person asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tcao_tui.domain.comparison import Comparison
    from tcao_tui.domain.diagnosis import Diagnosis
    from tcao_tui.domain.events import Verb
    from tcao_tui.domain.pipeline import StagePlan
    from tcao_tui.domain.rollouts import RolloutGroup
    from tcao_tui.domain.run_view import RunSummary, RunView
    from tcao_tui.domain.setting_request import SettingRequest
    from tcao_tui.domain.sweep_table import FollowedSweep
    from tcao_tui.domain.training_events import RolloutsTaken
    from tcao_tui.store.interviews import InterviewSummary
    from tcao_tui.tui.chat_port import ChatWanted
    from tcao_tui.tui.evals_port import EvalsWanted
    from tcao_tui.tui.interview_port import InterviewSession, InterviewWanted
    from tcao_tui.tui.ports import PlanPreview


@dataclass
class RunChanged(Message):
    """The watched run has something new; `stages` are the trainings of its plan, begun or not."""

    view: RunView
    stages: Sequence[StagePlan] = ()


@dataclass
class RunsChanged(Message):
    """The run list has something new; all rows, newest first."""

    rows: list[RunSummary]


@dataclass
class SweepsChanged(Message):
    """The sweeps have something new; all of them, the one that changed last first."""

    sweeps: Sequence[FollowedSweep]


@dataclass
class LogChanged(Message):
    """The tail of the watched run's log grew."""

    text: str


@dataclass
class LogWanted(Message):
    """Whether the log is looked at, and so worth reading."""

    wanted: bool


@dataclass
class SourceFailed(Message):
    """A feed could not read; it tries again by itself. The app tells a person, where no screen does."""

    what: str
    next_step: str = ""


@dataclass
class OpenRun(Message):
    """Go to the screen of a run."""

    run_id: str


class OpenSweeps(Message):
    """Go to the sweeps."""


@dataclass
class OpenInterview(Message):
    """Go to the planner's screen."""

    wanted: InterviewWanted


@dataclass
class OpenChat(Message):
    """Go to the chat screen."""

    wanted: ChatWanted


@dataclass
class OpenEvals(Message):
    """Go to the evaluations of a run, or to logs made elsewhere."""

    wanted: EvalsWanted


class BackToRuns(Message):
    """Leave this screen for the run list."""


class Intent(Message):
    """Base of what a person asks for; `intents.INTENTS` knows who carries each out."""


@dataclass
class ControlRun(Intent):
    """Ask the run's worker for something."""

    run_id: str
    verb: Verb


@dataclass
class ResumeRun(Intent):
    """Let a run go on."""

    run_id: str


@dataclass
class GoBackTo(Intent):
    """Let a run go on from an earlier checkpoint; posted only after the person consented."""

    run_id: str
    path: str


@dataclass
class PreviewPlan(Intent):
    """Read and resolve a plan file."""

    path: Path


@dataclass
class LaunchPlan(Intent):
    """Approve what was shown and start it; posted only after the person consented."""

    preview: PlanPreview


@dataclass
class RunDemo(Intent):
    """Launch the included demo."""


@dataclass
class ListInterviews(Intent):
    """Read which interviews there are, to plan a run in a new one or go on with one of them."""


@dataclass
class HoldInterview(Intent):
    """Open an interview for the screen that asked."""

    wanted: InterviewWanted


@dataclass
class DiagnoseRun(Intent):
    """Explain a run in words."""

    view: RunView


@dataclass
class ChangeSetting(Intent):
    """Ask the run's worker for another value of a setting."""

    run_id: str
    request: SettingRequest


@dataclass
class CompareRuns(Intent):
    """Read runs and hold them against each other."""

    run_ids: Sequence[str]


@dataclass
class ReadRollouts(Intent):
    """Read the answers of one step from the run's directory."""

    run_id: str
    taken: RolloutsTaken


@dataclass
class ChatAct(Intent):
    """Do something with a conversation; `act` blocks, and returns what came of it, if anybody is to be told."""

    act: Callable[[], Message | None]


@dataclass
class SaveText(Intent):
    """Write a text to a file of this name, since it is too long for the terminal's clipboard."""

    name: str
    text: str


@dataclass
class InterviewsListed(Message):
    """The interviews, the one that moved last first."""

    summaries: list[InterviewSummary]


@dataclass
class InterviewOpened(Message):
    """The interview that `HoldInterview` asked for."""

    wanted: InterviewWanted
    session: InterviewSession


@dataclass
class Diagnosed(Message):
    """What `DiagnoseRun` found."""

    found: Diagnosis


@dataclass
class RunsCompared(Message):
    """What `CompareRuns` asked for."""

    found: Comparison


@dataclass
class RolloutsRead(Message):
    """The answers that `ReadRollouts` asked for."""

    step: int
    groups: Sequence[RolloutGroup]


@dataclass
class PlanRead(Message):
    """The plan that `PreviewPlan` asked for."""

    preview: PlanPreview


@dataclass
class Done(Message):
    """What was asked for is done or on its way; `text` tells the person."""

    text: str


@dataclass
class NotDone(Message):
    """What was asked for could not be done."""

    what: str
    next_step: str = ""
    title: str = "Failed"

    @property
    def text(self) -> str:
        """What happened, and what to do next where that is known."""
        return f"{self.what}\nNext: {self.next_step}" if self.next_step else self.what
