"""What the console needs from the layers below, as plain callables, so that tests pass fakes in.

Everything here may block on disk or on a child process, so it is called in thread workers only. The real ones are wired
up in `wiring.wire`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from tcao_tui.domain.checkpoint_actions import ActionRequest
    from tcao_tui.domain.checkpoint_listing import CheckpointListing, ListedCheckpoint
    from tcao_tui.domain.comparison import Comparison
    from tcao_tui.domain.diagnosis import Diagnosis
    from tcao_tui.domain.events import Verb
    from tcao_tui.domain.hub_push import HubPush
    from tcao_tui.domain.notices import Notice
    from tcao_tui.domain.pipeline import StagePlan
    from tcao_tui.domain.pruning import Pruning
    from tcao_tui.domain.rollouts import RolloutGroup
    from tcao_tui.domain.run_view import RunSummary, RunView, ViewSource
    from tcao_tui.domain.setting_request import SettingRequest
    from tcao_tui.domain.sweep_table import FollowedSweep
    from tcao_tui.domain.training_events import RolloutsTaken
    from tcao_tui.services.checkpoint_details import CheckpointDetails
    from tcao_tui.services.checkpoints import ActionReport
    from tcao_tui.services.expiry_watch import ExpiryReport
    from tcao_tui.store.chats import ChatSummary
    from tcao_tui.store.interviews import InterviewSummary
    from tcao_tui.tui.chat_port import ChatTalk, ChatWanted
    from tcao_tui.tui.evals_port import OpenEvaluations
    from tcao_tui.tui.interview_port import InterviewSession, InterviewWanted


class RunsSource(Protocol):
    """The run list of one runs root."""

    def changes(self) -> Hashable:
        """A cheap value that differs when anything was committed since."""
        ...

    def rows(self) -> list[RunSummary]:
        """All runs, newest first, with liveness judged."""
        ...

    def close(self) -> None:
        """Release files."""
        ...


class SweepsPort(Protocol):
    """The sweeps of one runs root."""

    def poll(self) -> Sequence[FollowedSweep]:
        """All of them as they stand, the one that changed last first."""
        ...

    def close(self) -> None:
        """Release files and processes."""
        ...


type TakenForm = Literal["weights", "peft", "merged"]
"""As the server has them, as a PEFT adapter, or merged into a whole model."""


@dataclass(frozen=True, slots=True)
class TakeAway:
    """Weights that are to come to this machine.

    Attributes:
        consequence: What that does to the bill and to the server, a sentence.
        folder: Where they will be; it does not exist yet.
        source: What the port needs; the screens never look inside.
    """

    form: TakenForm
    path: str
    consequence: str
    folder: Path
    source: Any


@dataclass(frozen=True, slots=True)
class PushOffer:
    """Weights that may go to the Hugging Face Hub.

    Attributes:
        export: The export that goes there.
        push: What would be published; repository and readers are not chosen yet.
        is_there: The export exists; otherwise it is made, and proved, before anything goes.
    """

    export: TakeAway
    push: HubPush
    is_there: bool


class CheckpointsPort(Protocol):
    """The checkpoints of one server; each method blocks but `close`. See `services.checkpoints.CheckpointDesk`."""

    @property
    def backend(self) -> str:
        """Name of the server's profile."""
        ...

    def listing(self, on_page: Callable[[CheckpointListing], None]) -> CheckpointListing:
        """All of them; `on_page` takes what is known so far."""
        ...

    def details(self, checkpoint: ListedCheckpoint) -> CheckpointDetails:
        """What it was made of, as far as the server tells."""
        ...

    def settings(self, checkpoint: ListedCheckpoint) -> Mapping[str, Any]:
        """What made the weights, by key path."""
        ...

    def act(
        self,
        request: ActionRequest,
        checkpoints: Sequence[ListedCheckpoint],
        on_done: Callable[[str], None] | None = None,
    ) -> ActionReport:
        """Do it; `on_done` takes each path that is dealt with."""
        ...

    def prune(self, pruning: Pruning, on_done: Callable[[str], None]) -> ActionReport:
        """Delete exactly what was shown."""
        ...

    def plan_take_away(self, checkpoint: ListedCheckpoint, form: TakenForm) -> TakeAway:
        """What it would do; asks no server."""
        ...

    def take_away(self, wanted: TakeAway, tell: Callable[[str], None]) -> str:
        """Do it; `tell` takes how far it is, and the answer is what to tell the person. Ended by `close`."""
        ...

    def plan_push(self, checkpoint: ListedCheckpoint, form: TakenForm) -> PushOffer:
        """What would be published; asks no server."""
        ...

    def push(self, offer: PushOffer, push: HubPush, tell: Callable[[str], None]) -> str:
        """Export where that is still to be done, and upload as `push` says; otherwise as `take_away`."""
        ...

    def plan_go_back(self, checkpoint: ListedCheckpoint) -> str:
        """What it means for its run to go on from there, sentences; asks no server."""
        ...

    def close(self) -> None:
        """Let the server go, without waiting for it."""
        ...


class ExpiryPort(Protocol):
    """Resume points that runs of one root would lose soon."""

    def poll(self) -> ExpiryReport:
        """All of them, and which were not told yet; blocks."""
        ...

    def close(self) -> None:
        """Release files."""
        ...


class NoticesPort(Protocol):
    """What happens to any run."""

    def poll(self) -> Sequence[Notice]:
        """What is new, each fact once."""
        ...

    def close(self) -> None:
        """Release files."""
        ...


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """An opened run: its view, the tail of its log as text, and the trainings that its plan consists of."""

    source: ViewSource
    read_log: Callable[[], str]
    read_stages: Callable[[], Sequence[StagePlan]] = tuple


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """A resolved plan as a person reads it before consenting.

    Attributes:
        facts: Label and text of each line of the summary.
        estimate: Label and text of each line of the cost estimate; an unknown price says so.
        problems: Why it cannot be launched; empty when it can.
        is_free: Nothing of it can cost anything, so no word has to be typed.
        handle: What `launch` needs; the screens never look inside.
    """

    path: Path
    name: str
    facts: tuple[tuple[str, str], ...]
    estimate: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    is_free: bool
    handle: Any


@dataclass(frozen=True, slots=True)
class Ports:
    """The use cases that screens may ask for. Each raises `TcaoError` with a next step when it cannot be.

    Attributes:
        control: Run id and verb; returns what to tell the person.
        launch: Approves the preview and starts its worker; returns the run id.
        resume: Goes on from a pause or starts the next attempt; returns what to tell the person.
        go_back: Run id and the path of an earlier checkpoint to go on from; returns what to tell the person.
        demo: Launches the included demo; returns the run id.
        interviews: All interviews, the one that moved last first.
        open_interview: A new interview, or one that goes on.
        save_text: File name and text; returns where it was written.
        rollouts: Run id and what was taken at a step; returns its answers.
        change: Run id and the setting; returns what to tell the person.
        compare: Run ids; reads each run to its end.
        open_expiry: What runs would lose soon; the same for all screens, so that each is told once. None for none.
        open_checkpoints: Those of the server of a profile; of the one in the settings, where no name is given.
        open_evaluations: Those of a run, an evaluation, or logs made elsewhere.
        open_chat: A new conversation with checkpoints, or one that goes on.
        chats: Conversations that can be gone on with, the one that moved last first.
        open_notices: What the terminal is told from now on; None where the settings want no desktop notices.
        is_read_only: The run is only watched; its own program controls it.
    """

    open_runs: Callable[[], RunsSource]
    open_run: Callable[[str], WatchedRun]
    control: Callable[[str, Verb], str]
    resume: Callable[[str], str]
    go_back: Callable[[str, str], str]
    preview: Callable[[Path], PlanPreview]
    launch: Callable[[PlanPreview], str]
    demo: Callable[[], str]
    interviews: Callable[[], list[InterviewSummary]]
    open_interview: Callable[[InterviewWanted], InterviewSession]
    save_text: Callable[[str, str], Path]
    rollouts: Callable[[str, RolloutsTaken], Sequence[RolloutGroup]]
    diagnose: Callable[[RunView], Diagnosis]
    change: Callable[[str, SettingRequest], str]
    compare: Callable[[Sequence[str]], Comparison]
    open_sweeps: Callable[[], SweepsPort]
    open_chat: Callable[[ChatWanted], ChatTalk]
    chats: Callable[[], list[ChatSummary]]
    open_notices: Callable[[], NoticesPort | None]
    open_expiry: Callable[[], ExpiryPort | None]
    open_checkpoints: Callable[[str], CheckpointsPort]
    open_evaluations: OpenEvaluations
    clock: Callable[[], float] = time.time
    is_read_only: bool = False
