"""How a tool is called: found by name, arguments checked, errors in the words of gates, and nothing run twice."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.domain.data_profile import DataProfile, Overlap, Split
from tcao_tui.domain.facts import Fact
from tcao_tui.domain.interview import (
    Answered,
    Approved,
    Entry,
    Interrupted,
    Learned,
    PlanWritten,
    RunStarted,
    Said,
    SlotFilled,
    Started,
    ToolEnded,
    ToolStarted,
)
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import Refused, TcaoError
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.registry import Registry

_SHOWN_CHARACTERS = 200
INTERRUPTED: dict[str, Any] = {
    "ok": False,
    "errors": [
        {"path": "", "got": "interrupted by the person", "expected": "", "fix": "ask before it is run again"},
    ],
}


async def run_tool(tools: Registry[type[Tool]], call: ToolStarted, interview: Interview, desk: Desk) -> ToolOutcome:
    """Check a call and carry it out; what is wrong with it becomes an outcome that is not ok."""
    name = call.tool
    if name not in tools.names():
        return refusal("tool", name, f"one of {', '.join(tools.names())}", _nearest(name, tools.names()))
    kind = tools.load(name)
    try:
        tool = kind.model_validate(call.arguments)
    except ValidationError as error:
        return _wrong_arguments(kind, error)
    try:
        return await tool.run(interview, desk, call.call_id)
    except TcaoError as error:
        return refusal(error.where, error.what, "", error.next_step)


def refusal(path: str, got: str, expected: str, fix: str) -> ToolOutcome:
    """An outcome with one error, in the words of gates."""
    error = {"path": path, "got": one_line(got, _SHOWN_CHARACTERS), "expected": expected, "fix": fix}
    return ToolOutcome({"ok": False, "errors": [error]}, ok=False)


def recorded_outcome(state: InterviewState, call_id: str) -> ToolOutcome | None:
    """How a call with this id ended before; None when there was none, so that it may run."""
    started = False
    for stored in state.transcript:
        match stored.entry:
            case ToolStarted(call_id=known) if known == call_id:
                started = True
            case ToolEnded(call_id=known) as ended if known == call_id:
                return ToolOutcome(ended.result, ok=ended.ok)
            case _:
                pass
    return ToolOutcome(INTERRUPTED, ok=False) if started else None


def learned(facts: Sequence[Fact]) -> list[Learned]:
    """Measurements as entries."""
    entries: list[Learned] = []
    for fact in facts:
        match fact:
            case DataProfile():
                entries.append(Learned(profile=fact))
            case Overlap():
                entries.append(Learned(overlap=fact))
            case Split():
                entries.append(Learned(split=fact))
            case Capabilities():
                entries.append(Learned(capabilities=fact))
            case CodeHash():
                entries.append(Learned(code=fact))
    return entries


def ended_by_death(state: InterviewState) -> tuple[Entry, ...]:
    """The missing ends of tools that ran when an earlier console died."""
    if not state.running_tools:
        return ()
    ends = [ToolEnded(call_id=tool.call_id, ok=False, result=INTERRUPTED) for tool in state.running_tools]
    return (*ends, Interrupted(what="the console that ran it ended"))


def refuse_persons_acts(entries: Sequence[Entry]) -> None:
    """Planners and tools do not speak for the person. Raises `Refused`."""
    for entry in entries:
        match entry:
            case Started() | Answered() | Approved() | PlanWritten() | RunStarted() | Said(who="you"):
                raise Refused(f"only a person may do this: {entry.kind}")
            case SlotFilled(filled=filled) if filled.by == "you":
                raise Refused("only a person's own words fill a value as theirs", where=entry.path)
            case _:
                pass


def _wrong_arguments(kind: type[Tool], error: ValidationError) -> ToolOutcome:
    problems = error.errors(include_url=False, include_context=False)
    fields = list(kind.model_fields)
    errors = [
        {
            "path": ".".join(str(part) for part in problem["loc"]),
            "got": one_line(repr(problem["input"]), _SHOWN_CHARACTERS),
            "expected": problem["msg"].removeprefix("Value error, "),
            "fix": _nearest(str(problem["loc"][-1]), fields) if problem["type"] == "extra_forbidden" else "",
        }
        for problem in problems
    ]
    return ToolOutcome({"ok": False, "errors": errors}, ok=False)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"use {near[0]}" if near else f"there are: {', '.join(known)}"
