from __future__ import annotations

from typing import Any

import pytest

from tcao_tui.domain.cost import CostEstimate, CostLine, CostRange
from tcao_tui.domain.draft import Alternative, Draft, Filled
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import Finding, Gate, GateResult
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.slots import SLOTS
from tcao_tui.errors import PlanInvalid, UsageError
from tcao_tui.tui.panes.planner.approve_lines import approve_lines
from tcao_tui.tui.panes.planner.change_lines import change_lines
from tcao_tui.tui.panes.planner.plan_details import detail_lines
from tcao_tui.tui.panes.planner.plan_rows import plan_rows
from tcao_tui.tui.panes.planner.values import value_text
from tcao_tui.tui.plan_changes import (
    changes_between,
    choices_for,
    draft_text,
    edits_in,
    sheet_after,
    typed_value,
    value_as_text,
)
from tcao_tui.tui.widgets.line_view import Line
from tests.fakes.interview_records import a_cost, a_draft, early_sheet, finished_sheet


def text_of(lines: list[Line]) -> str:
    return "\n".join("".join(text for text, _ink in line).rstrip() for line in lines)


def card_text(sheet: PlanSheet, width: int = 60, **how: Any) -> str:
    return text_of([row.line for row in plan_rows(sheet, width, **how)])


EARLY = early_sheet(InterviewState("i"))


def test_each_slot_tells_its_value_and_who_it_is_from_in_a_word() -> None:
    lines = card_text(finished_sheet()).splitlines()
    assert any("Goal" in line and line.endswith("◆ you") for line in lines)
    assert any("Method" in line and "sft" in line and line.endswith("○ policy") for line in lines)
    assert any("Evals" in line and "gsm8k_test_200.jsonl" in line and line.endswith("◇ model") for line in lines)


def test_a_slot_that_only_a_person_can_fill_says_so() -> None:
    assert "Budget          only you can tell" in card_text(EARLY)


def test_a_failed_gate_shows_what_is_wrong_and_the_fix() -> None:
    text = card_text(EARLY)
    assert "✗ fail  evals" in text
    assert "evals.score.file: nothing measures the task itself" in text
    assert "fix: name a file" in text


def test_a_gate_that_cannot_be_judged_says_what_is_missing() -> None:
    assert "○ open  cost         the score file decides" in card_text(EARLY)


def test_a_gate_that_changed_says_what_it_was() -> None:
    assert "was fail" in card_text(finished_sheet(), before={Gate.EVALS: "fail"})


def test_a_gate_that_only_waits_for_values_is_open_not_failed() -> None:
    findings = tuple(
        Finding(gate=Gate.SCHEMA, path=path, got="is missing", expected="", fix="") for path in ("goal", "method")
    )
    early = PlanSheet({}, None, (GateResult(gate=Gate.SCHEMA, status="fail", findings=findings),), None, None, None)
    assert "○ open  schema       2 values still to come" in card_text(early)
    wrong = (*findings, Finding(gate=Gate.SCHEMA, path="training.lora_rank", got="33", expected="32", fix="32"))
    late = PlanSheet({}, None, (GateResult(gate=Gate.SCHEMA, status="fail", findings=wrong),), None, None, None)
    assert "✗ fail  schema" in card_text(late)


def test_an_approved_plan_says_so() -> None:
    text = card_text(finished_sheet(), is_approved=True)
    assert text.splitlines()[0].endswith("approved")
    assert "✓ pass  approval" in text


def test_opening_a_slot_shows_all_its_key_paths() -> None:
    text = card_text(finished_sheet(), opened=frozenset({"slot:data"}))
    assert "input_field" in text
    assert "input_field" not in card_text(finished_sheet())


def test_an_unknown_cost_is_never_zero() -> None:
    unknown = CostEstimate((), CostRange(None, None, None), is_free=False, price_source="no price found")
    sheet = finished_sheet()
    text = card_text(PlanSheet(sheet.draft, sheet.plan, sheet.gates, sheet.quote, unknown, None))
    assert "expected $?" in text
    assert "$0" not in text


def test_a_free_backend_says_that_it_is_free() -> None:
    assert "free: this backend costs nothing" in card_text(finished_sheet(is_free=True))


def test_the_row_under_the_cursor_tells_reason_source_and_alternatives() -> None:
    text = text_of(detail_lines(finished_sheet(), "slot:method", 60, 8))
    assert "○ policy: the rows are worked answers (docs)" in text
    assert "or RL: the number can be checked" in text


def test_the_detail_keeps_to_its_height() -> None:
    assert len(detail_lines(EARLY, "gate:evals", 30, 4)) == 4


@pytest.mark.parametrize("width", [44, 60, 120])
@pytest.mark.parametrize("sheet", [EARLY, finished_sheet(), finished_sheet(is_free=True)])
def test_no_row_is_wider_than_the_card(sheet: PlanSheet, width: int) -> None:
    everything = frozenset({f"slot:{name}" for name in ("data", "rest", "lora")} | {f"gate:{g}" for g in Gate})
    for row in plan_rows(sheet, width, opened=everything):
        assert sum(len(text) for text, _ink in row.line) <= width


def test_what_a_person_consents_to_is_the_validated_plan_with_cost_first() -> None:
    sheet = finished_sheet()
    assert sheet.plan is not None
    lines = text_of(approve_lines(sheet.plan, sheet, 80)).splitlines()
    assert "$1.05 expected" in lines[0]
    assert any("up to 100 rows, graded by" in line for line in lines)
    assert any("training.num_steps: 100; expected 500" in line for line in lines), "warnings are in sight"


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("training.lora_rank", "64", 64),
        ("training.run_name", "2024", "2024"),
        ("training.learning_rate", "2e-4", 0.0002),
        ("training.train_mlp", "no", False),
        ("evals.sample_prompts", '["Why?", "How?"]', ["Why?", "How?"]),
        ("goal", "yes: answer [in] {json}", "yes: answer [in] {json}"),
        ("training.val_file", "", None),
    ],
)
def test_typed_text_becomes_what_the_schema_wants(path: str, text: str, value: object) -> None:
    assert typed_value(path, text) == value


@pytest.mark.parametrize(("path", "text"), [("training.lora_rank", "33.5"), ("training.lora_rnak", "32")])
def test_text_that_cannot_stand_there_is_refused_with_the_key_path(path: str, text: str) -> None:
    with pytest.raises(UsageError) as refused:
        typed_value(path, text)
    assert path in str(refused.value)


def test_a_draft_comes_back_from_the_editor_as_what_was_changed() -> None:
    draft = a_draft()
    text = draft_text(draft)
    assert edits_in(text, draft) == {}
    edited = "\n".join(
        line.replace("32  #", "64  #") if line.startswith("training.lora_rank") else line
        for line in text.splitlines()
        if not line.startswith("training.seed")
    )
    assert edits_in(edited, draft) == {"training.lora_rank": 64, "training.seed": None}


def test_a_reason_cannot_break_out_of_its_comment() -> None:
    draft: Draft = {"goal": Filled(value="a\nb: c", by="model", reason="x\nbudget.max_cost_usd: 9999")}
    assert edits_in(draft_text(draft), draft) == {}


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list\n", "words"])
def test_text_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanInvalid, match="edited plan"):
        edits_in(text, a_draft())


def test_an_edit_shows_its_value_what_follows_and_which_gates_change() -> None:
    before, after = EARLY, finished_sheet()
    edits = {"budget.max_cost_usd": 12.5}
    text = text_of(change_lines(changes_between(before, after, edits), before, after, 80))
    assert text.startswith(" budget.max_cost_usd\n   + 12.5 (you)")
    assert "✓ pass  evals         was fail" in text
    assert "cost: unknown → $1.05 expected" in text
    assert text.index("✓ pass") < text.index("and so") < text.index("evals.score.file")


def test_an_edit_is_judged_with_the_real_rules() -> None:
    draft: Draft = {"training.lora_rank": Filled(value=32, by="you")}
    sheet = sheet_after(draft, Facts(), {"training.lora_rank": 33})
    assert sheet.draft["training.lora_rank"] == Filled(value=33, by="you")
    assert "training.lora_rank" in {f.path for gate in sheet.gates for f in gate.findings}


def test_choices_begin_with_what_was_considered() -> None:
    assert choices_for("method", finished_sheet(), Facts())[:2] == ["sft", "rl"]
    assert choices_for("training.train_mlp", finished_sheet(), Facts()) == [True, False]
    assert "reasoning" in choices_for("use_case", finished_sheet(), Facts())
    assert choices_for("goal", finished_sheet(), Facts()) == []


def test_values_are_told_in_words() -> None:
    assert value_text(None) == value_text([]) == "-"
    assert value_text(True) == "yes"
    assert value_text([{"name": "inspect_evals/gsm8k", "limit": 100}, {"name": "x/mmlu"}]) == "gsm8k, mmlu"
    assert value_text(list("abcdef")) == "a, b, c, d and 2 more"
    assert value_text("a\x1b[2Jb\nc") == "ab c"


def test_the_cost_of_the_fixture_adds_up() -> None:
    cost = a_cost(is_free=False)
    assert cost.total.expected_usd == pytest.approx(sum(line.usd.expected_usd or 0 for line in cost.lines))


HOSTILE = [
    "[/x]",
    "[b +",
    "\x1b[2J\x1b]52;c;cm0=\x07",
    "a\u202etxt.exe",
    "nul\x00",
    "zero\u200bwidth",
    "\ud800",
    "\x9b31m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_reasons_and_findings_reach_no_terminal(text: str) -> None:
    other = Alternative(value=text, label=text, why=text)
    filled = Filled(value=text, by="model", reason=text, source=text, alternatives=(other,))
    paths = (*(path for slot in SLOTS for path in slot.paths), text)
    draft: Draft = dict.fromkeys(paths, filled)
    finding = Finding(gate=Gate.DATA, path=text, got=text, expected=text, fix=text, where=text)
    gates = (
        GateResult(gate=Gate.DATA, status="fail", findings=(finding,)),
        GateResult(gate=Gate.COST, status="open", why_open=text),
    )
    line = CostLine("training", 5, CostRange(1.0, 2.0, 3.0), text)
    cost = CostEstimate((line,), line.usd, is_free=False, price_source=text, not_counted=(text,))
    sheet = PlanSheet(draft, None, gates, None, cost, None)
    rows = plan_rows(sheet, 60, opened=frozenset({f"slot:{slot.name}" for slot in SLOTS} | {"slot:rest"}))
    lines = [row.line for row in rows]
    for row in rows:
        lines += detail_lines(sheet, row.key, 60, 20)
    before = PlanSheet({}, None, (), None, None, None)
    lines += change_lines(changes_between(before, sheet, {text: text}), before, sheet, 60)
    shown = text_of(lines)
    assert not {"\x1b", "\x00", "\x9b", "\u202e", "\u200b", "\ud800"} & set(shown)
    assert not {"\x1b", "\x00", "\x9b", "\u202e"} & set(value_as_text(text) + value_as_text([text]))
