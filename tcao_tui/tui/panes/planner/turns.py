"""One turn at a time: what the planner is doing, what waits for it, and what its status says. No Textual."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tcao_tui.domain.interview import Said
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plain_text import one_line
from tcao_tui.planner.port import Countdown, Streamed, TextDelta, ThinkingDelta, ToolProgress
from tcao_tui.tui.panes.planner.card_form import CardForm
from tcao_tui.tui.panes.planner.status_line import Status

_THOUGHT_CHARACTERS = 120


class Turns:
    """Whose turn it is.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: float | None = None
        self._retry_at: float | None = None
        self._doing = ""
        self._tool = ""
        self._progress = ""
        self._thought = ""
        self._text: list[str] = []
        self._queue: list[str] = []

    @property
    def is_busy(self) -> bool:
        """Whether the planner works."""
        return self._since is not None

    def begin(self, doing: str) -> None:
        """The planner's turn; `doing` is what happens until something is heard."""
        self._since, self._doing, self._thought, self._retry_at = self._clock(), doing, "", None

    def end(self) -> None:
        """The person's turn."""
        self._since = self._retry_at = None
        self._text.clear()

    def wait_with(self, text: str) -> None:
        """Something was written meanwhile."""
        self._queue.append(text)

    def take_queue(self) -> str:
        """What was written meanwhile, as one message; empties it."""
        text = "\n".join(self._queue)
        self._queue.clear()
        return text

    def take_text(self) -> str:
        """What the planner said since the last time."""
        text = "".join(self._text)
        self._text.clear()
        return text

    def run_tools(self, names: Sequence[str]) -> None:
        """The tools that run now; the newest is told of."""
        tool = names[-1] if names else ""
        if tool != self._tool:
            self._tool, self._progress = tool, ""

    def hear(self, piece: Streamed) -> None:
        """Something streamed past."""
        match piece:
            case TextDelta(text=text):
                self._text.append(text)
                self._doing = "writing"
            case ThinkingDelta(text=text):
                self._thought = (self._thought + text)[-4 * _THOUGHT_CHARACTERS :]
                self._doing = f"thinking: {one_line(self._thought)[-_THOUGHT_CHARACTERS:]}"
            case ToolProgress(text=text, share=share):
                self._progress = progress_text(text, share)
            case Countdown(seconds=seconds, why=why):
                self._retry_at = self._clock() + seconds if seconds > 0 else None
                self._doing = why

    def status(self, form: CardForm | None, *, standing: str) -> Status:
        """What the status line says now."""
        now = self._clock()
        return Status(
            form=form,
            busy_seconds=None if self._since is None else now - self._since,
            doing=f"{self._tool} {self._progress}" if self._tool else self._doing,
            wait_seconds=None if self._retry_at is None else max(self._retry_at - now, 0.0),
            queued=len(self._queue),
            standing=standing,
        )


def is_planners_turn(state: InterviewState) -> bool:
    """Whether an interview that is opened waits for its planner, not for the person."""
    if state.open_card is not None or state.approved is not None:
        return False
    last = next((stored.entry for stored in reversed(state.transcript) if stored.entry.kind != "model_turn"), None)
    return not (isinstance(last, Said) and last.who != "you")


def progress_text(text: str, share: float | None) -> str:
    """`reading rows 43%`."""
    return text if share is None else f"{text} {share:.0%}"
