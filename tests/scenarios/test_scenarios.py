from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from tcao_tui.domain.interview import Approved, RunStarted, SlotFilled
from tests.fakes.drafts import value_of
from tests.scenarios.simulated import Interviewed, Scenario, interviewed, reopened, scenarios

ALL = scenarios()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interviewed]:
    return {scenario.name: interviewed(scenario, tmp_path_factory.mktemp("scenario")) for scenario in ALL}


def ids(scenario: Scenario) -> str:
    return scenario.name


def final(result: Interviewed, path: str) -> object:
    """A value of the final plan; a file by its name, and one that a split wrote by the name of its source."""
    value = value_of(result.session.sheet.draft, path)
    if not path.endswith("_file") and not path.endswith("score.file"):
        return value
    for split in result.session.state.facts.splits:
        if value in (str(split.train), str(split.validation), str(split.test)):
            value = split.source
    return Path(str(value)).name


def wrong_slots(result: Interviewed) -> dict[str, tuple[object, object]]:
    found = {path: (final(result, path), wanted) for path, wanted in result.scenario.expect.slots.items()}
    return {path: pair for path, pair in found.items() if pair[0] != pair[1]}


def broken_constraints(result: Interviewed) -> list[str]:
    expect, sheet, state = result.scenario.expect, result.session.sheet, result.session.state
    broken: list[str] = []
    if expect.max_cost_usd is not None:
        cap = value_of(sheet.draft, "budget.max_cost_usd")
        expected = sheet.cost.total.expected_usd if sheet.cost else None
        if not isinstance(cap, int | float) or cap > expect.max_cost_usd or expected is None or expected > cap:
            broken.append(f"cap {cap}, expected {expected}, wanted at most {expect.max_cost_usd}")
    if expect.family is not None:
        chosen = state.facts.model(str(value_of(sheet.draft, "training.base_model")))
        if chosen is None or chosen.family != expect.family:
            broken.append(f"model {chosen and chosen.name}, wanted a {expect.family}")
    if expect.stays_local and sheet.is_ready and state.profile != "local":
        broken.append("rows would leave")
    return broken


@pytest.mark.parametrize("scenario", ALL, ids=ids)
def test_the_interview_ends_as_it_should(scenario: Scenario, results: dict[str, Interviewed]) -> None:
    result, expect = results[scenario.name], scenario.expect
    findings = [f"{gate.gate}: {finding}" for gate in result.session.sheet.blockers for finding in gate.findings]
    assert result.session.sheet.is_ready == expect.ready, "\n".join([result.said, *findings])
    assert wrong_slots(result) == {}, result.said
    asked = [question.id for question in result.questions]
    assert set(expect.asked) <= set(asked)
    assert not set(expect.not_asked) & set(asked)
    assert len(asked) <= expect.most_questions, asked
    quotes = " ".join(quote for question in result.questions for quote in question.quotes)
    assert [text for text in expect.quoted if text not in quotes] == [], quotes
    assert [text for text in expect.says if text not in result.said] == [], result.said


def test_every_scenario_that_can_have_a_valid_plan_has_one(results: dict[str, Interviewed]) -> None:
    possible = [result for result in results.values() if result.scenario.expect.ready]
    assert len(results) >= 25
    assert [result.scenario.name for result in possible if not result.session.sheet.is_ready] == []


def test_slots_are_what_the_person_meant(results: dict[str, Interviewed]) -> None:
    wanted = sum(len(result.scenario.expect.slots) for result in results.values())
    wrong = sum(len(wrong_slots(result)) for result in results.values())
    assert wanted >= 75
    assert 1 - wrong / wanted >= 0.95


def test_no_question_is_asked_for_nothing(results: dict[str, Interviewed]) -> None:
    assert {name: result.redundant for name, result in results.items() if result.redundant} == {}


def test_questions_are_few(results: dict[str, Interviewed]) -> None:
    counts = [len(result.questions) for result in results.values()]
    assert median(counts) <= 6
    assert max(counts) <= 10


def test_questions_come_with_a_reason_and_recommended_options_first(results: dict[str, Interviewed]) -> None:
    for result in results.values():
        for question in result.questions:
            assert question.why
            if question.default is not None:
                assert question.options[0].value == question.default


def test_no_constraint_is_broken(results: dict[str, Interviewed]) -> None:
    assert {name: broken for name, result in results.items() if (broken := broken_constraints(result))} == {}


def test_every_value_that_nobody_said_is_marked_and_has_a_reason(results: dict[str, Interviewed]) -> None:
    for result in results.values():
        for path, filled in result.session.sheet.draft.items():
            if filled.by == "you":
                assert path in result.session.state.draft
            else:
                assert filled.reason, (result.scenario.name, path)


def test_no_interview_approves_or_launches_by_itself(results: dict[str, Interviewed]) -> None:
    for result in results.values():
        entries = [stored.entry for stored in result.session.state.transcript]
        assert not any(isinstance(entry, Approved | RunStarted) for entry in entries)
        assert all(entry.filled.by != "model" for entry in entries if isinstance(entry, SlotFilled))


def test_a_record_that_is_read_again_gives_the_same_plan(results: dict[str, Interviewed]) -> None:
    for result in results.values():
        again = reopened(result.store, result.session.state.interview_id, result.desk)
        assert again.state == result.session.state
        assert again.sheet == result.session.sheet
