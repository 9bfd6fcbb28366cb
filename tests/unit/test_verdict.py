"""Which checkpoint is best: the rule step by step, and how often it errs when all are equal."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tcao_tui.domain.statistics.paired import ItemScore
from tcao_tui.domain.statistics.verdict import Scores, Task, Verdict, decide, split_items


def answers(right: int, items: int = 200, offset: int = 0) -> Scores:
    """The first `right` items after `offset` are right."""
    return {f"{n}": ItemScore(float(offset <= n < offset + right)) for n in range(items)}


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {one.checkpoint: one.outcome for one in verdict.judged}


def test_the_best_is_recommended_with_a_gain_that_choosing_did_not_see() -> None:
    goal = Task("tickets", {"base": answers(20), "a": answers(80), "b": answers(160)})
    verdict = decide(goal, ["a", "b"], "base")
    assert (verdict.recommended, verdict.outcome, verdict.alike) == ("b", "better", ())
    assert verdict.quoted is not None
    assert 80 < verdict.quoted.items < 120
    assert verdict.quoted.mean == pytest.approx(0.7, abs=0.1)
    assert outcomes(verdict) == {"a": "better", "b": "better"}


def test_of_two_that_cannot_be_told_apart_the_earlier_is_taken() -> None:
    goal = Task("tickets", {"base": answers(20), "early": answers(158), "late": answers(160)})
    verdict = decide(goal, ["early", "late"], "base")
    assert (verdict.recommended, verdict.alike) == ("early", ("late",))


def test_two_equal_checkpoints_cannot_be_told_apart_and_more_items_are_named() -> None:
    goal = Task("tickets", {"base": answers(100), "a": answers(103, offset=1)})
    verdict = decide(goal, ["a"], "base")
    assert (verdict.recommended, verdict.outcome, verdict.quoted) == ("base", "cannot tell", None)
    assert verdict.alike == ("a",)
    assert verdict.more_items is not None
    assert verdict.more_items > 200


def test_where_all_are_worse_the_base_is_best() -> None:
    verdict = decide(Task("tickets", {"base": answers(160), "a": answers(20)}), ["a"], "base")
    assert (verdict.recommended, verdict.outcome) == ("base", "better")
    assert outcomes(verdict) == {"a": "worse"}


def test_a_guardrail_vetoes_what_is_best_on_the_goal() -> None:
    goal = Task("tickets", {"base": answers(20), "a": answers(160), "b": answers(80)})
    general = Task("ifeval", {"base": answers(150), "a": answers(100), "b": answers(149)})
    verdict = decide(goal, ["a", "b"], "base", guardrails=[general])
    assert verdict.recommended == "b"
    assert outcomes(verdict)["a"] == "left out"
    assert "ifeval is clearly worse: -0.25" in verdict.judged[0].why
    assert decide(goal, ["a", "b"], "base").recommended == "a"


def test_lost_answers_make_scores_incomparable() -> None:
    goal = Task("tickets", {"base": answers(20), "a": answers(160)}, unusable={"a": 0.1, "base": 0.01})
    verdict = decide(goal, ["a"], "base")
    assert verdict.recommended == "base"
    assert verdict.judged[0].why == "tickets: 10.0% of its answers are unusable, 1.0% of the base's"


def test_lower_is_better_where_the_task_says_so() -> None:
    goal = Task("refusals", {"base": answers(160), "a": answers(20)}, higher_is_better=False)
    assert decide(goal, ["a"], "base").recommended == "a"


def test_groups_are_not_torn_apart_by_the_split() -> None:
    items = {f"{n}": ItemScore(1.0, f"text {n // 4}") for n in range(400)}
    choosing, quoting = split_items(items, 0)
    assert not {items[key].cluster for key in choosing} & {items[key].cluster for key in quoting}
    assert len(choosing) == pytest.approx(200, abs=60)


def equal_checkpoints(rng: np.random.Generator, count: int, items: int = 200) -> Task:
    """Base and `count` checkpoints of the same ability, 0.7, whose answers correlate by 0.7."""
    shared = rng.normal(size=items) * math.sqrt(0.7)
    names = ["base", *(f"c{n}" for n in range(count))]
    right = {name: shared + rng.normal(size=items) * math.sqrt(0.3) > -0.524 for name in names}
    return Task("t", {n: {f"{i}": ItemScore(float(v)) for i, v in enumerate(values)} for n, values in right.items()})


@pytest.mark.slow
def test_of_ten_equal_checkpoints_one_is_called_better_in_at_most_one_case_in_twenty() -> None:
    rng = np.random.default_rng(7)
    names = [f"c{n}" for n in range(10)]
    runs = 1000
    verdicts = [decide(equal_checkpoints(rng, 10), names, "base") for _ in range(runs)]
    called = sum(any(one.outcome == "better" for one in verdict.judged) for verdict in verdicts)
    naive = sum(any(one.gain.mean > 0 for one in verdict.judged) for verdict in verdicts)
    assert called / runs <= 0.05
    assert naive / runs > 0.8, "the best of ten scores lies above the base's nearly always"
