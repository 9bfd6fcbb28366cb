"""The range test as a part of the pilot: its cells, its cost, its verdict, and what a plan without one keeps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tcao_tui.domain.diagnosis import diagnose
from tcao_tui.domain.event_words import event_text
from tcao_tui.domain.events import parse_event
from tcao_tui.domain.pilot_range import range_cells, range_lines
from tcao_tui.domain.plan import Plan, config_hash
from tcao_tui.domain.range_test import judge_pilot
from tcao_tui.domain.training_events import RangeCellBegan, RangeCellTrained, RangeTested
from tcao_tui.domain.watch_plan import RangeTest
from tcao_tui.tui.panes.training.header import notice_lines
from tcao_tui.tui.panes.training.marks import range_test_lines
from tcao_tui.tui.panes.training.panels import Panel, offered
from tests.fakes.method_views import Story
from tests.fakes.scripted_numbers import plan_of

TERMS = RangeTest()


def piloted(method: str = "sft", **terms: Any) -> Plan:
    return plan_of(method, pilot={"steps": 5, "range_test": terms})


def trained(index: int, rate: float, loss: Callable[[int], float], *, rank: int = 32) -> RangeCellTrained:
    losses = tuple(value if math.isfinite(value := loss(step)) else None for step in range(20))
    return RangeCellTrained(index=index, learning_rate=rate, lora_rank=rank, is_own=index == 2, losses=losses)


def falling_to(end: float) -> Callable[[int], float]:
    return lambda step: end + (3 - end) * math.exp(-step / 4)


def test_a_pilot_without_a_range_test_keeps_the_hash_that_it_was_approved_by() -> None:
    plain = {"base_model": "m", "run_name": "n", "train_file": "t.jsonl", "learning_rate": 3e-4}
    plan = Plan.model_validate({"method": "sft", "training": plain, "pilot": {"steps": 5}})
    assert config_hash(plan) == "2ae634a9533e7d2d"
    assert config_hash(piloted()) != config_hash(plan_of("sft", pilot={"steps": 5}))


def test_cells_are_the_plan_around_its_own_rate_and_at_other_ranks_and_measure_nothing() -> None:
    plan = piloted(lora_ranks=[8], steps=10)
    cells = range_cells(plan)
    assert [(c.plan.training.learning_rate, c.plan.training.lora_rank) for c in cells] == [
        (rate, rank) for rank in (8, 32) for rate in (3e-5, 9.6e-5, 3e-4, 9.6e-4, 3e-3)
    ]
    assert [cell.index for cell in cells if cell.is_own] == [8]
    for cell in cells:
        config = cell.plan.training
        assert (config.num_steps, config.eval_every, config.save_every, config.val_file) == (10, 0, 0, None)
        assert (cell.plan.pilot, cell.plan.evals.score) == (None, None)
    assert range_cells(plan_of("sft", pilot={"steps": 5})) == ()


def test_a_pipeline_tests_the_range_of_its_first_stage() -> None:
    assert {cell.plan.method for cell in range_cells(piloted("rlhf"))} == {"sft"}


@pytest.mark.parametrize("terms", [{"steps": 5}, {"lora_ranks": [12]}, {"learning_rates": [0]}, {"parallel": 0}])
def test_terms_that_make_no_test_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        piloted(**terms)


def test_values_that_learn_nearly_as_much_as_the_best_pass() -> None:
    ended = judge_pilot([trained(1, 1e-4, falling_to(2.0)), trained(2, 3e-4, falling_to(1.1))], TERMS)
    assert (ended.passed, ended.finding, ended.best) == (True, "", 2)
    ended = judge_pilot([trained(1, 1e-3, falling_to(1.0)), trained(2, 3e-4, falling_to(1.2))], TERMS)
    assert (ended.passed, ended.best) == (True, 1)


def test_values_that_learn_far_less_do_not_pass_and_the_finding_ends_with_the_change() -> None:
    cells = [trained(1, 1e-3, falling_to(1.0), rank=8), trained(2, 3e-4, falling_to(2.0))]
    ended = judge_pilot(cells, RangeTest(if_worse="stop"))
    assert (ended.passed, ended.action, ended.best) == (False, "stop", 1)
    assert ended.finding.startswith("at the plan's own values (learning rate 0.0003, rank 32) the loss falls to 2.0")
    assert ended.finding.endswith(": training.learning_rate: 0.001, training.lora_rank: 8")


def test_a_loss_that_breaks_at_the_plans_own_values_does_not_pass_even_where_nothing_is_better() -> None:
    def broken(step: int) -> float:
        return math.nan if step > 2 else 3.0

    ended = judge_pilot([trained(1, 1e-3, broken), trained(2, 3e-4, broken)], TERMS)
    assert (ended.passed, ended.action, ended.best) == (False, "pause", 0)
    assert ended.finding.endswith("the loss is no number within 20 steps: training.learning_rate: 3e-05")


def test_a_test_that_cannot_tell_lets_the_run_go_on_and_says_so() -> None:
    ended = judge_pilot([trained(1, 1e-3, lambda _: 3.0), trained(2, 3e-4, lambda _: 3.0)], TERMS)
    assert (ended.passed, ended.best) == (True, 0)
    assert ended.sentence.startswith("the test cannot tell")


def test_a_loss_that_is_no_number_survives_the_store() -> None:
    cell = RangeCellTrained(index=1, learning_rate=1.0, lora_rank=8, is_own=False, losses=(3.0, None))
    assert parse_event(cell.kind, cell.model_dump_json()) == cell


def test_the_test_is_told_cell_by_cell_and_by_the_diagnosis() -> None:
    story = Story("sft", 100)
    began = RangeCellBegan(index=1, cells=2, learning_rate=1e-3, lora_rank=8, is_own=False)
    story.tell(began, trained(1, 1e-3, falling_to(1.0), rank=8))
    own = RangeCellBegan(index=2, cells=2, learning_rate=3e-4, lora_rank=32, is_own=True, again=True)
    story.tell(own)
    marks = story.view().marks.range_test
    assert marks is not None
    assert range_lines(marks) == [
        "learning rate 0.001, rank 8: loss 3 -> 1.017 in 20 steps",
        "learning rate 0.0003, rank 32: on its way (the plan's own)",
    ]
    assert "trained again from its first step" in event_text(own)[1]
    finding = "it falls too little: training.learning_rate: 0.001"
    story.tell(RangeTested(passed=False, sentence="s", finding=finding, action="pause", best=1))
    view = story.view()
    told = next(found for found in diagnose(view, now=story.at).findings if "range test" in found.what)
    assert (told.evidence, told.do) == ("it falls too little", "training.learning_rate: 0.001")
    assert view.marks.range_test is not None
    assert range_lines(view.marks.range_test)[0].endswith("(best)")


def test_the_panel_of_the_test_is_offered_only_where_there_is_one() -> None:
    story = Story("sft", 100)
    assert Panel.RANGE_TEST not in offered(story.view())
    story.tell(RangeCellBegan(index=1, cells=2, learning_rate=1e-3, lora_rank=8, is_own=False))
    assert offered(story.view()) == list(Panel)


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_panel_and_the_head_tell_what_the_test_found_within_their_width(width: int) -> None:
    story = Story("sft", 100)
    story.tell(RangeCellBegan(index=1, cells=1, learning_rate=1e-3, lora_rank=8, is_own=True))
    story.tell(trained(1, 1e-3, falling_to(1.0), rank=8))
    finding = "it falls too little, and that is a long story: training.learning_rate: 0.001"
    story.tell(RangeTested(passed=False, sentence="one " * 30, finding=finding, action="note", best=1))
    view = story.view()
    for lines in (range_test_lines(view.marks, width), notice_lines(view, width)):
        assert all(sum(len(text) for text, _ in line) <= width for line in lines)
        assert "it falls too little" in "".join(text for line in lines for text, _ in line)
