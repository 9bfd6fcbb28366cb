"""Values that the model proposes: checked by the plan's own gates, and never against what the person decided."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.interview import Answered, Said, SlotFilled
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.planning import sheet_of
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import TcaoError
from tcao_tui.planner import plan_keys
from tcao_tui.planner.envelope import cleaned
from tcao_tui.planner.llm.state import cost_json, to_mend
from tcao_tui.planner.port import Interview, ToolOutcome
from tcao_tui.planner.tools.reading import readable

FILE_PATHS = ("training.train_file", "training.val_file", "evals.score.file")
BUDGET = "budget.max_cost_usd"
_REASON_CHARACTERS = 400
_AMOUNT = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*(k\b)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is proposed for a key path, and why."""

    path: KeyPath
    value: Any
    reason: str


def proposed(interview: Interview, changes: Sequence[Change]) -> ToolOutcome:
    """All changes or none: they are made when each may stand and no gate finds an error at its path."""
    errors: list[dict[str, str]] = []
    filled: list[SlotFilled] = []
    for change in changes:
        match _filled(interview, change):
            case SlotFilled() as entry:
                filled.append(entry)
            case error:
                errors.append(error)
    if not errors:
        state = interview.state
        sheet = sheet_of({**state.draft, **{entry.path: entry.filled for entry in filled}}, state.facts)
        errors = [_error(finding) for finding in _findings_at(sheet, [entry.path for entry in filled])]
        if not errors:
            return ToolOutcome(_accepted(filled, sheet), entries=tuple(filled))
    return ToolOutcome({"ok": False, "errors": cleaned(errors), "set": "nothing"}, ok=False)


def persons_words(state: InterviewState) -> Iterator[str]:
    """Everything that the person wrote or chose, word for word."""
    for stored in state.transcript:
        match stored.entry:
            case Said(who="you", text=text):
                yield text
            case Answered(answers=answers):
                yield from (str(answer.value) for answer in answers if answer.value is not None)
            case _:
                pass


def _filled(interview: Interview, change: Change) -> SlotFilled | dict[str, str]:
    """The entry that makes a change, or the error that keeps it from being made."""
    path, state = change.path, interview.state
    try:
        value = plan_keys.checked(path, change.value)
        if path in FILE_PATHS and isinstance(value, str):
            value = str(readable(interview, value))
    except TcaoError as error:
        return {"path": path, "got": error.what, "expected": "", "fix": error.next_step}
    stands = state.draft.get(path)
    if stands is not None and stands.by == "you" and stands.value != value:
        return {
            "path": path,
            "got": str(change.value),
            "expected": f"the person's own value {stands.value} ({stands.reason})",
            "fix": "keep it, or ask the person with both values in quotes",
        }
    if path == BUDGET and value is not None and value not in _amounts(state):
        return {
            "path": path,
            "got": str(change.value),
            "expected": "an amount in the person's own words",
            "fix": "ask the person for the budget",
        }
    reason = one_line(plain_text(change.reason), _REASON_CHARACTERS)
    return SlotFilled(path=path, filled=Filled(value=value, by="model", reason=reason))


def _amounts(state: InterviewState) -> set[float]:
    found = (match for words in persons_words(state) for match in _AMOUNT.finditer(words))
    return {float(match[1].replace(",", "")) * (1000 if match[2] else 1) for match in found}


def _findings_at(sheet: PlanSheet, paths: Sequence[KeyPath]) -> list[Finding]:
    found = (finding for gate in sheet.gates for finding in gate.findings if finding.severity == "error")
    return [f for f in found if any(f.path == path or f.path.startswith((f"{path}.", f"{path}[")) for path in paths)]


def _error(finding: Finding) -> dict[str, str]:
    return {"path": finding.path, "got": finding.got, "expected": finding.expected, "fix": finding.fix}


def _accepted(filled: Sequence[SlotFilled], sheet: PlanSheet) -> dict[str, Any]:
    return {
        "ok": True,
        "set": {entry.path: cleaned(entry.filled.value) for entry in filled},
        "to_mend": to_mend(sheet),
        "cost_usd": cost_json(sheet),
        "ready_for_approval": sheet.is_ready,
    }
