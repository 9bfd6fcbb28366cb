"""The record of an interview: typed entries that are appended to the store and never changed; `interview_state` folds.

Everything that matters survives the process: what was said, asked and answered, which tools ran with which results, the
draft with who filled it, the model's turns word for word, approvals. What only streams past (text as it is typed,
progress, countdowns) is no entry; see `planner.port`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.domain.data_profile import DataProfile, Overlap, Split
from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.questions import Answer, Card

PlannerName = Literal["rules", "llm"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Started(_Entry):
    """The interview began.

    Attributes:
        profile: Name of the backend's profile.
        directory: The person's project: files below it may be read without asking.
        forked_from: Id of the interview whose draft and facts this one starts with; empty for a new one.
    """

    kind: Literal["started"] = "started"
    profile: str
    directory: str
    planner: PlannerName
    forked_from: str = ""


class Said(_Entry):
    """Words of the person or of a planner."""

    kind: Literal["said"] = "said"
    who: Literal["you", "planner", "tcao"]
    text: str


class Asked(_Entry):
    """A card of questions; it stays open until it is answered or the interview moves on."""

    kind: Literal["asked"] = "asked"
    card: Card


class Answered(_Entry):
    """The person's answers to a card; `defaults_for_rest` closes it with the defaults of what is not answered."""

    kind: Literal["answered"] = "answered"
    card_id: str
    answers: tuple[Answer, ...]
    defaults_for_rest: bool = False


class SlotFilled(_Entry):
    """A value of the draft was set; `question` names the question that it answers, where there was one."""

    kind: Literal["filled"] = "filled"
    path: KeyPath
    filled: Filled
    question: str = ""


class SlotCleared(_Entry):
    """A value of the draft was taken back: policy decides again."""

    kind: Literal["cleared"] = "cleared"
    path: KeyPath


class ToolStarted(_Entry):
    """A tool runs; one that never ended was interrupted, and is never run again by itself."""

    kind: Literal["tool_started"] = "tool_started"
    call_id: str
    tool: str
    arguments: dict[str, Any]


class ToolEnded(_Entry):
    """A tool answered; `result` is JSON, on failure `{"ok": false, "errors": [{path, got, expected, fix}]}`."""

    kind: Literal["tool_ended"] = "tool_ended"
    call_id: str
    ok: bool
    result: dict[str, Any]
    seconds: float = 0.0


class Learned(_Entry):
    """A tool measured something that policy and checks build on."""

    kind: Literal["learned"] = "learned"
    profile: DataProfile | None = None
    overlap: Overlap | None = None
    split: Split | None = None
    capabilities: Capabilities | None = None
    code: CodeHash | None = None


class ModelTurn(_Entry):
    """A message of the LLM conversation, verbatim as the API takes it back.

    Attributes:
        message: `{"role": ..., "content": [...]}`.
        usage: Token counts of the four kinds, from the final message; empty for turns of ours.
        stop_reason: Of the model's turn.
        conversation: Which conversation it is part of; the model is sent the turns of the last one only.
        seen: `seq` of the last entry that a turn of ours tells the model of.
    """

    kind: Literal["model_turn"] = "model_turn"
    message: dict[str, Any]
    usage: dict[str, int] = {}
    model: str = ""
    stop_reason: str = ""
    usd: float | None = None
    conversation: str = ""
    seen: int = 0


class PlannerChanged(_Entry):
    """Another planner goes on, with every slot kept."""

    kind: Literal["planner_changed"] = "planner_changed"
    planner: PlannerName
    why: str


class Interrupted(_Entry):
    """The person, or the death of the process, ended a turn early."""

    kind: Literal["interrupted"] = "interrupted"
    what: str = ""


class Approved(_Entry):
    """A person approved exactly this plan at these prices; any later change of the draft voids it.

    Attributes:
        approval_hash: Of plan and prices.
        how: "typed" or "hash".
        max_cost_usd: The amount that the person typed or gave; None where nothing can cost anything.
        plan: The approved plan, as JSON values; `quote` the prices.
    """

    kind: Literal["approved"] = "approved"
    approval_hash: str
    how: Literal["typed", "hash", "auto"]
    by: str
    max_cost_usd: float | None = None
    plan: dict[str, Any]
    quote: dict[str, Any]


class PlanWritten(_Entry):
    """The approved plan's files were written."""

    kind: Literal["plan_written"] = "plan_written"
    directory: str
    files: tuple[str, ...] = ()


class RunStarted(_Entry):
    """A worker has the plan."""

    kind: Literal["run_started"] = "run_started"
    run_id: str


class UnknownEntry(_Entry):
    """An entry of another version; kept and counted."""

    kind: str
    raw: str = ""


Entry = (
    Started
    | Said
    | Asked
    | Answered
    | SlotFilled
    | SlotCleared
    | ToolStarted
    | ToolEnded
    | Learned
    | ModelTurn
    | PlannerChanged
    | Interrupted
    | Approved
    | PlanWritten
    | RunStarted
)

_ADAPTER: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


def parse_entry(kind: str, body: str | bytes) -> Entry | UnknownEntry:
    """Read a stored entry; anything this version does not understand becomes an `UnknownEntry`."""
    try:
        return _ADAPTER.validate_json(body)
    except ValidationError:
        raw = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        return UnknownEntry(kind=kind, raw=raw)


class StoredEntry(BaseModel):
    """An entry with its place: `seq` grows within the store, `at` is Unix seconds, UTC."""

    model_config = ConfigDict(frozen=True)

    seq: int
    interview_id: str
    at: float
    entry: Entry | UnknownEntry
