"""What a planner is, what a tool is, and what streams to a front end while they work.

Planners act on an `Interview` only: they append entries, call tools, and return when it is the person's turn.
They never draw, never approve and never launch: those are acts of a person, carried out by `planner.session`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from tcao_tui.domain.facts import Fact
from tcao_tui.domain.interview import Entry, PlannerName
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.desk import Desk


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the planner's words; the whole comes later as a `Said` entry."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More of the model's summarised thinking; never kept."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """How far a running tool is; `share` is 0 to 1, None when unknown."""

    call_id: str
    text: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Countdown:
    """The planner waits before it tries again; 0 seconds ends the wait.

    The text and thinking that streamed since the last entry are void: the model starts its turn over.
    """

    seconds: float
    why: str


Streamed = TextDelta | ThinkingDelta | ToolProgress | Countdown


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool answers.

    Attributes:
        result: JSON for the planner; data of files and models stands in a labelled envelope, see `planner.envelope`.
        facts: Measurements to remember.
        entries: Changes of the interview, such as slots.
        ok: False when `result` holds `errors` of the form `{path, got, expected, fix}`.
    """

    result: dict[str, Any]
    facts: tuple[Fact, ...] = ()
    entries: tuple[Entry, ...] = ()
    ok: bool = True


class Tool(BaseModel):
    """One thing a planner may do: the fields are its arguments, their schema for the LLM, and the check of every call.

    The class's docstring is what the LLM reads of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str]
    strict: ClassVar[bool] = False
    """Whether the LLM's server is asked to keep to the schema; only for flat schemas whose fields are all required."""

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Do it. Raises `TcaoError`, which the caller turns into an outcome that is not `ok`."""
        raise NotImplementedError


class Interview(Protocol):
    """An interview as planners and tools see it."""

    @property
    def state(self) -> InterviewState:
        """The fold of all entries."""
        ...

    @property
    def sheet(self) -> PlanSheet:
        """The plan as it stands, with gates and cost."""
        ...

    def append(self, *entries: Entry) -> None:
        """Record entries. Raises `Refused` when the interview went on elsewhere."""
        ...

    def stream(self, piece: Streamed) -> None:
        """Tell the front end something that is not recorded."""
        ...

    def may_read(self, path: str) -> bool:
        """Whether a file may be read: it lies in the person's project, or the person named it."""
        ...

    async def call(self, tool: str, arguments: dict[str, Any], call_id: str = "") -> ToolOutcome:
        """Check arguments, record start and end, run the tool, record what it learned; never raises `TcaoError`."""
        ...


class Planner(Protocol):
    """One of the two interviewers."""

    name: ClassVar[PlannerName]

    async def go_on(self, interview: Interview) -> None:
        """Work until it is the person's turn: a card is open, or there is nothing left to ask.

        Cancelling is the interrupt: the record stays consistent. An LLM that refuses or is away raises `HandOver`.
        """
        ...


class HandOver(Exception):
    """The LLM planner cannot go on; the rules planner does, with every slot kept.

    Args:
        why: For the person, a sentence.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
