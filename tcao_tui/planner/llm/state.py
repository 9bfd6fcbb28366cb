"""The interview as small JSON for the model: what is settled and by whom, what is missing, what it costs."""

from __future__ import annotations

import json
from typing import Any

from tcao_tui.domain.cost import CostRange
from tcao_tui.domain.data_profile import DataProfile
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.questions import QUESTIONS_IN_ALL
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.slots import SLOTS, is_filled

_FINDINGS = 8
_CHARACTERS = 160


def state_text(state: InterviewState, sheet: PlanSheet) -> str:
    """The state as one labelled block."""
    return f"<state>{quoted(state_json(state, sheet))}</state>"


def quoted(value: object) -> str:
    """A value as JSON in which no tag can be forged, since `<` is written as an escape."""
    return json.dumps(value, ensure_ascii=False, default=str).replace("<", "\\u003c")


def state_json(state: InterviewState, sheet: PlanSheet) -> dict[str, Any]:
    """The same as values."""
    return {
        "settled": {path: {"value": _short(f.value), "by": f.by} for path, f in sorted(state.draft.items())},
        "by_policy": {p: _short(f.value) for p, f in sorted(sheet.draft.items()) if p not in state.draft},
        "only_the_person_can_tell": [s.name for s in SLOTS if s.need == "required" and not is_filled(s, state.draft)],
        "to_mend": to_mend(sheet),
        "cost_usd": cost_json(sheet),
        "files": [_file(profile) for profile in {known.path: known for known in state.facts.profiles}.values()],
        "models_known": state.facts.capabilities is not None,
        "questions_left": max(0, QUESTIONS_IN_ALL - state.questions),
        "ask_nothing_more": state.use_defaults,
        "ready_for_approval": sheet.is_ready,
    }


def to_mend(sheet: PlanSheet) -> list[dict[str, str]]:
    """What keeps the plan from being approved, in the order of the gates, as far as it can be judged."""
    wrong = [
        {"path": finding.path, "got": finding.got, "expected": finding.expected, "fix": finding.fix}
        for gate in sheet.blockers
        for finding in gate.findings
        if finding.severity == "error"
    ]
    missing = [{"gate": gate.gate.value, "why_open": gate.why_open} for gate in sheet.blockers if gate.why_open]
    return [{name: one_line(text, _CHARACTERS) for name, text in one.items()} for one in (wrong + missing)[:_FINDINGS]]


def cost_json(sheet: PlanSheet) -> dict[str, Any]:
    """Low, expected and high cost of the plan; an unknown amount is the word, never 0."""
    if sheet.cost is None:
        return {"expected": "unknown", "why": "the plan or its data is not complete"}
    return usd_json(sheet.cost.total)


def usd_json(usd: CostRange) -> dict[str, Any]:
    """A range of amounts for the model."""
    amounts = {"low": usd.low_usd, "expected": usd.expected_usd, "high": usd.high_usd}
    return {name: "unknown" if one is None else round(one, 4) for name, one in amounts.items()}


def _file(profile: DataProfile) -> dict[str, Any]:
    return {
        "path": str(profile.path),
        "rows": profile.rows,
        "bad_rows": profile.bad_rows,
        "kind": profile.kind,
        "format": profile.fields.data_format,
    }


def _short(value: object) -> object:
    return one_line(value, _CHARACTERS) if isinstance(value, str) else value
