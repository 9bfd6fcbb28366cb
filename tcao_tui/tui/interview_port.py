"""What the planner's screen asks of an interview, so that tests pass a replay of entries in.

The real one is `planner.session.Session`, made in `tui.interview_desk`. Unlike `ports`, nothing here blocks: an
interview lives on Textual's loop, and its tools run in threads of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
    from tcao_tui.domain.draft import KeyPath
    from tcao_tui.domain.interview import PlannerName
    from tcao_tui.domain.interview_state import InterviewState
    from tcao_tui.domain.questions import Answer
    from tcao_tui.domain.sheet import PlanSheet
    from tcao_tui.planner.port import Streamed
    from tcao_tui.planner.session import Outcome


@dataclass(frozen=True, slots=True)
class InterviewWanted:
    """Which interview to open.

    Attributes:
        interview_id: One to go on with: id, unique beginning of one, or `latest`; empty starts a new one.
        forked_from: The one whose values and measurements a new one starts with; empty for none.
        opening: First words of the person in a new one.
        planner: Who asks; None as the settings say.
        backend: Profile to train on; None as the settings say.
        start_from: Checkpoint that the plan of a new one starts from.
    """

    interview_id: str = ""
    forked_from: str = ""
    opening: str = ""
    planner: PlannerName | None = None
    backend: str | None = None
    start_from: ListedCheckpoint | None = None


class InterviewSession(Protocol):
    """An interview that this console holds.

    `go_on`, `say` and `answer` come back when it is the person's turn, also after an interrupt. Each raises `TcaoError`
    with a next step when it cannot be.
    """

    @property
    def state(self) -> InterviewState:
        """The fold of all entries."""
        ...

    @property
    def sheet(self) -> PlanSheet:
        """The plan as it stands."""
        ...

    def listen(self, on_change: Callable[[], None], on_stream: Callable[[Streamed], None]) -> None:
        """Tell a front end of new entries, and of what only streams past; on the loop that works."""
        ...

    async def go_on(self) -> None:
        """Let the planner work: after opening, after resuming, after an interrupt."""
        ...

    async def say(self, text: str) -> None:
        """Words of the person that answer no question."""
        ...

    async def answer(self, card_id: str, answers: Sequence[Answer], *, defaults_for_rest: bool = False) -> None:
        """Answers to the open card."""
        ...

    def interrupt(self) -> bool:
        """End the planner's turn; says whether one was running."""
        ...

    async def set_values(self, values: Mapping[KeyPath, Any]) -> None:
        """Values that the person set by hand; None takes a value back, so that policy decides."""
        ...

    def switch_planner(self, planner: PlannerName) -> None:
        """Let the other planner go on."""
        ...

    def fork(self) -> str:
        """A new interview with this one's draft and facts; returns its id."""
        ...

    async def approve(self, approval_hash: str, *, max_cost_usd: float | None) -> Outcome:
        """Record the person's consent to exactly this plan, write its files, and launch it where a worker can."""
        ...

    def close(self) -> None:
        """Let the store go; the interview can be resumed anywhere."""
        ...
