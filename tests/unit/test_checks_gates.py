from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.domain.checks.evals import smallest_difference
from tcao_tui.domain.checks.plan_check import check
from tcao_tui.domain.checks.subject import Subject, missing_comparisons, missing_inspections
from tcao_tui.domain.draft import Filled, flat, nested
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import Gate, GateResult
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.sheet import PlanSheet
from tests.fakes import known_facts as known
from tests.fakes.known_facts import SCORE, TRAIN, VAL

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEY = st.text(st.characters(exclude_characters="."), min_size=1, max_size=4)
SECTION = st.recursive(st.integers() | st.none() | st.text(max_size=3), lambda inner: st.dictionaries(KEY, inner))
PATHS = [
    *flat(known.values()),
    *("method", "use_case", "start_from", "dpo", "dpo.beta", "rl.grader", "rl.max_tokens", "distill", "rlhf.rl_steps"),
    *("evals", "evals.benchmarks", "evals.score", "success.metric", "success.threshold", "success.must_not_regress"),
    *("training", "training.train_mlp", "data", "data.train_file", "decisions", "version", "", ".", "a..b", "goal.x"),
]
GOOD = flat(known.values())
"""Of which a fuzzed draft keeps most, so that the later gates are reached too."""


def sheet_of(changes: dict[str, Any] | None = None, facts: Facts | None = None) -> PlanSheet:
    return check(flat(known.values(changes)), facts or known.facts())


def gate(sheet: PlanSheet, wanted: Gate) -> GateResult:
    return next(result for result in sheet.gates if result.gate is wanted)


@settings(max_examples=300, deadline=None)
@given(drafts=st.dictionaries(st.sampled_from(PATHS) | st.text(max_size=10), JSON, max_size=5), facts=st.booleans())
def test_any_json_is_judged_and_never_crashes(drafts: dict[str, Any], facts: bool) -> None:
    draft = {**GOOD, **{path: Filled(value=value, by="model") for path, value in drafts.items()}}
    sheet = check(draft, known.facts() if facts else Facts())
    assert [result.gate for result in sheet.gates] == list(Gate)
    assert (sheet.approval_hash is None) is bool(sheet.blockers)
    for result in sheet.gates:
        assert (result.status == "open") is bool(result.why_open) or result.status == "fail"
        for finding in result.findings:
            assert finding.got
            assert finding.expected
            assert finding.fix or finding.severity == "note"


@settings(max_examples=200, deadline=None)
@given(values=JSON)
def test_any_json_in_place_of_a_whole_draft_is_judged(values: Any) -> None:
    draft = flat(values) if isinstance(values, dict) else {"training": Filled(value=values, by="you")}
    assert not check(draft, known.facts()).is_ready


@settings(max_examples=100, deadline=None)
@given(values=st.dictionaries(KEY, SECTION, max_size=4))
def test_a_flat_draft_nests_to_what_it_was(values: dict[str, Any]) -> None:
    assert nested(flat(values)) == values


def test_a_value_with_keys_below_it_is_told() -> None:
    draft = {**flat(known.values()), "training": Filled(value=5, by="model")}
    [error] = gate(check(draft, known.facts()), Gate.SCHEMA).findings
    assert error.path == "training"
    assert "remove either training" in error.fix


def test_gates_wait_for_the_schema_and_say_so() -> None:
    sheet = sheet_of({"training.lora_rank": 3})
    assert sheet.plan is None
    assert {result.status for result in sheet.gates[1:]} == {"open"}
    assert "waits until every value is of its kind" in gate(sheet, Gate.DATA).why_open


def test_nothing_measured_leaves_gates_open_and_passes_none() -> None:
    sheet = sheet_of(facts=Facts(graders=("exact",)))
    assert [gate(sheet, g).status for g in (Gate.DATA, Gate.CAPABILITY, Gate.EVALS, Gate.COST)] == ["open"] * 4
    assert "training.train_file is not inspected yet" in gate(sheet, Gate.DATA).why_open
    assert "the server's models are not known" in gate(sheet, Gate.CAPABILITY).why_open
    assert sheet.approval_hash is None
    assert sheet.cost is None


def test_a_server_that_is_away_is_told_with_its_reason() -> None:
    facts = known.facts(capabilities=None, missing={"capabilities": "the local engine is not running"})
    assert "the local engine is not running" in gate(sheet_of(facts=facts), Gate.CAPABILITY).why_open


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model": "lab/other"}, "tokens were counted for lab/other"),
        ({"renderer": "role_colon"}, "role_colon"),
        ({"max_seq_len": 64, "truncated_rows": 5}, "64 tokens"),
    ],
)
def test_tokens_of_another_model_renderer_or_cut_count_as_none(changes: dict[str, Any], why: str) -> None:
    facts = known.facts_with(TRAIN, tokens=known.tokens(**changes))
    result = gate(sheet_of(facts=facts), Gate.DATA)
    assert result.status == "open"
    assert why in result.why_open
    assert "inspect the training file again" in result.why_open


def test_a_wider_cut_needs_no_new_count_as_long_as_no_row_is_longer() -> None:
    assert sheet_of({"training.max_seq_len": 128}).is_ready
    assert not sheet_of({"training.max_seq_len": 64}).is_ready


def test_a_file_inspected_in_another_way_than_the_plan_says_leaves_the_gate_open() -> None:
    result = gate(sheet_of({"training.output_field": "label"}), Gate.DATA)
    assert result.status == "open"
    assert "the plan says output_field label" in result.why_open


def test_files_that_were_not_compared_leave_the_gate_open() -> None:
    sheet = sheet_of(facts=known.facts(overlaps=()))
    assert "training.val_file is not compared" in gate(sheet, Gate.DATA).why_open
    assert "evals.score.file is not compared" in gate(sheet, Gate.EVALS).why_open


def test_a_comparison_of_older_content_counts_as_none() -> None:
    facts = known.facts_with(VAL, sha256="newer")
    assert "not compared" in gate(sheet_of(facts=facts), Gate.DATA).why_open


def test_what_must_be_measured_is_listed_and_what_cannot_be_read_is_not() -> None:
    plan = Plan.model_validate(known.values())
    missing = Facts(missing={str(VAL): "No such file"})
    wanted = missing_inspections(Subject(plan, missing))
    assert [(w.file.path, w.with_tokens) for w in wanted] == [(TRAIN, True), (SCORE, False)]
    uncompared = missing_comparisons(Subject(plan, known.facts(overlaps=())))
    assert [(c.left.path, c.right.path) for c in uncompared] == [(TRAIN, VAL), (TRAIN, SCORE)]
    assert missing_inspections(Subject(plan, known.facts())) == ()
    assert missing_comparisons(Subject(plan, known.facts())) == ()


def test_the_hash_names_content_so_a_copy_elsewhere_is_the_same_plan() -> None:
    copy = Path("/elsewhere/rows.jsonl")
    moved = known.facts().with_fact(known.profile(copy, 2000, sha256="sha-of-train.jsonl", tokens=known.tokens()))
    there = sheet_of({"training.train_file": str(copy)}, moved)
    assert there.approval_hash == sheet_of().approval_hash is not None
    assert there.plan is not None
    assert there.plan.data.train_file == "sha-of-train.jsonl"


def test_other_content_or_another_price_is_another_plan() -> None:
    first = sheet_of().approval_hash
    cheaper = known.capabilities(known.model(price=known.PAID.model_copy(update={"train_usd": 0.9})))
    changed = known.facts_with(TRAIN, sha256="other").model_copy(
        update={"overlaps": tuple(o.model_copy(update={"left_sha256": "other"}) for o in known.facts().overlaps)}
    )
    hashes = {sheet_of(facts=known.facts(capabilities=cheaper)).approval_hash, sheet_of(facts=changed).approval_hash}
    assert None not in hashes
    assert first not in hashes


@pytest.mark.parametrize(("method", "warns"), [("sft", True), ("rl", False), ("dpo", False)])
def test_only_answers_that_are_imitated_need_a_parameter_per_token(method: str, warns: bool) -> None:
    many = known.tokens(completion=known.spread(1000, 2000))
    facts = known.facts_with(TRAIN, tokens=many, kinds=("chat", "problem", "preference"))
    found = gate(sheet_of({"method": method, "training.lora_rank": 1}, facts), Gate.CAPABILITY)
    assert any(each.path == "training.lora_rank" for each in found.findings) is warns


def test_unknown_prices_may_be_approved_by_hand_without_a_cap_and_that_is_said() -> None:
    facts = known.facts(capabilities=known.capabilities(known.model(price=known.UNKNOWN)))
    sheet = sheet_of({"budget.max_cost_usd": None}, facts)
    [warning] = gate(sheet, Gate.COST).findings
    assert sheet.is_ready
    assert "approve by hand" in warning.fix
    assert sheet.cost is not None
    assert sheet.cost.total.expected_usd is None


def test_what_is_free_needs_no_cap() -> None:
    free = known.facts(capabilities=known.capabilities(known.model(price=known.FREE), is_free=True))
    assert gate(sheet_of({"budget.max_cost_usd": None}, free), Gate.COST).findings == ()


def test_the_proposed_cap_holds_the_highest_estimate() -> None:
    [error] = gate(sheet_of({"budget.max_cost_usd": None}), Gate.COST).findings
    cap = float(error.fix.split(" to ")[1].split(":")[0])
    sheet = sheet_of({"budget.max_cost_usd": cap})
    assert gate(sheet, Gate.COST).findings == ()
    assert sheet.cost is not None
    assert sheet.cost.total.high_usd is not None
    assert sheet.cost.total.high_usd <= cap <= sheet.cost.total.high_usd * 1.1


def test_foreign_text_cannot_steer_a_terminal() -> None:
    hostile = "\x1b]52;c;aGk=\x07evil\u202e\n[/red]"
    facts = known.facts_with(TRAIN, problems=(), bad_rows=0, sensitive={hostile: 3}, kind="preference", kinds=())
    sheet = sheet_of({"training.base_model": hostile, "evals.score.grader": hostile, hostile: hostile}, facts)
    texts = [text for result in sheet.gates for f in result.findings for text in (f.path, f.got, f.expected, f.fix)]
    assert texts
    assert not [text for text in texts if "\x1b" in text or "\u202e" in text or "\n" in text]


def test_ninety_five_per_cent_of_fair_coins_stay_within_the_smallest_difference() -> None:
    assert smallest_difference(200) == pytest.approx(1.96 * math.sqrt(0.5 / 200))
    assert smallest_difference(0) == 1.0


def test_a_key_in_the_draft_keeps_its_origin() -> None:
    draft = {path: Filled(value=f.value, by="policy", reason="r") for path, f in flat(known.values()).items()}
    assert check(draft, known.facts()).draft == draft
