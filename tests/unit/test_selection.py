"""The selection rule over three layers, through the store as people see it: each exclusion, ties, and what decides."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tcao_tui.domain.eval_matrix import Selection
from tcao_tui.domain.evaluation import CellState, Choice, ItemResult
from tcao_tui.domain.selection import Wishes
from tcao_tui.services.evaluation_view import EvaluationFollower
from tcao_tui.store.memory_evaluations import MemoryEvaluations
from tests.fakes.evaluated import Answers, cell_of, evaluated, items, task

TICKETS, TONE, MMLU = task("tickets"), task("tone"), task("mmlu", 2)
HELD_OUT = task("held-out rows", 1, harness="held_out", higher_is_better=False, is_guardrail=True)
TRAINED_ON = task("training rows", 1, harness="held_out", higher_is_better=False)
TASKS = {one.name: one for one in (HELD_OUT, TRAINED_ON, MMLU, TICKETS, TONE)}


def losses(mean: float, count: int = 100) -> list[ItemResult]:
    """Losses of rows, which differ from one row to the next and a little from one call to the next."""
    return [
        ItemResult(item=str(n), value=mean + n / 100 + ((n * 7919 + round(mean * 1e4)) % 11) / 50) for n in range(count)
    ]


def filled(answers: Answers) -> MemoryEvaluations:
    store = MemoryEvaluations()
    evaluated(store, [TASKS[name] for name in answers], answers)
    return store


def selected(answers: Answers, wishes: Wishes | None = None) -> Selection:
    found = EvaluationFollower(filled(answers), run_id="r", wishes=wishes).poll().selection
    assert found is not None
    return found


def whys(found: Selection) -> dict[str, str]:
    return {ruling.subject: ruling.why for ruling in found.rulings if ruling.outcome == "left out"}


def improving(*right: int) -> dict[str, Sequence[ItemResult]]:
    """The base, then checkpoints 20, 40, ... with so many right items."""
    return {"tiny" if not n else f"r@{20 * n}": items(each) for n, each in enumerate(right)}


def test_the_best_of_layer_3_is_recommended_and_quoted_by_items_that_choosing_did_not_see() -> None:
    found = selected({"tickets": improving(20, 80, 160)})
    assert (found.goal, found.recommended, found.sure, found.alike) == ("tickets", "r@40", "better", ())
    assert found.quoted is not None
    assert 60 < found.quoted.items < 140
    assert found.quoted.mean == pytest.approx(0.7, abs=0.1)
    assert "+0.700" in found.rulings[1].why


def test_a_single_checkpoint_is_quoted_by_all_items_since_nothing_was_chosen() -> None:
    found = selected({"tickets": improving(20, 160)})
    assert found.quoted is not None
    assert (found.quoted.items, found.quoted.mean) == (200, pytest.approx(0.7))


def test_of_checkpoints_that_cannot_be_told_apart_the_earliest_is_taken() -> None:
    found = selected({"tickets": improving(20, 158, 160)})
    assert (found.recommended, found.alike) == ("r@20", ("r@40",))
    assert found.rulings[0].why.endswith("the earliest of those that cannot be told from the best")
    assert found.rulings[1].why.endswith("cannot be told from r@20")


def test_two_equal_ones_cannot_be_told_apart_and_the_rule_says_what_would_tell() -> None:
    answers = {"tiny": items(100), "r@20": items(103, offset=1)}
    found = selected({"tickets": answers})
    assert (found.recommended, found.sure, found.quoted) == ("tiny", "cannot tell", None)
    assert found.more_items is not None
    assert found.more_items > 200
    assert any(line.startswith("A true difference of 0.0") for line in found.rule)
    assert found.rule[-1] == f"{found.more_items:,} items in all would tell, were the gain what it seems."


def test_a_gain_that_is_only_just_told_is_said_to_be_likely_smaller() -> None:
    words = "Its gain is so near to what can be found at all that it is likely smaller than it looks."
    assert words in selected({"tickets": {"tiny": items(100), "r@20": items(114, offset=10)}}).rule
    assert words not in selected({"tickets": improving(100, 160)}).rule


def test_a_clear_loss_on_a_benchmark_speaks_against_the_best_unless_a_person_accepts_it() -> None:
    answers = {"mmlu": improving(150, 149, 100), "tickets": improving(20, 80, 160)}
    found = selected(answers)
    assert (found.recommended, whys(found)) == ("r@20", {"r@40": "mmlu is clearly worse: -0.25, p 3.6e-15"})
    accepted = selected(answers, Wishes(accepted=frozenset({"mmlu"})))
    assert (accepted.recommended, whys(accepted)) == ("r@40", {})
    assert "Layer 2 and guardrails: none was evaluated that counts. A person accepted: mmlu." in accepted.rule


def test_one_that_another_checkpoint_outdoes_on_a_benchmark_is_left_out() -> None:
    """It is no worse than the base, but the other one gained there, and could be used too."""
    found = selected({"mmlu": improving(100, 140, 103), "tickets": improving(20, 120, 160)})
    assert found.recommended == "r@20"
    assert whys(found)["r@40"].startswith("mmlu is clearly worse than that of r@20: -0.185")


def test_one_that_could_not_be_used_anyway_outdoes_nobody() -> None:
    found = selected({"mmlu": improving(100, 140, 103), "tickets": improving(20, 22, 160)})
    assert (found.recommended, whys(found)) == ("r@40", {})


def test_a_held_out_loss_above_that_of_an_earlier_checkpoint_is_over_fitting() -> None:
    rows = {"tiny": losses(3.0), "r@20": losses(1.5), "r@40": losses(1.9)}
    trained_on = {"tiny": losses(3.0), "r@20": losses(1.4), "r@40": losses(0.9)}
    answers = {"held-out rows": rows, "training rows": trained_on, "tickets": improving(20, 100, 160)}
    found = selected(answers)
    assert found.recommended == "r@20"
    assert whys(found)["r@40"].startswith("over-fitted: held-out rows is 0.399 above that of r@20 (2.1")
    assert any(
        "Gap to the loss on training rows: 0 at tiny, 0.0998" in line and line.endswith("; it grows.")
        for line in found.rule
    )
    assert selected(answers, Wishes(accepted=frozenset({"held-out rows"}))).recommended == "r@40"


@pytest.mark.parametrize("later", [1.5, -0.49])
def test_a_rise_of_the_loss_that_many_rows_tell_but_nobody_would_notice_is_no_over_fitting(later: float) -> None:
    rows = {"tiny": losses(3.0), "r@20": losses(later), "r@40": losses(later + 0.008)}
    found = selected({"held-out rows": rows, "tickets": improving(20, 100, 160)})
    assert (found.recommended, whys(found)) == ("r@40", {})


def test_lost_answers_block_a_comparison_unless_a_person_accepts_how_they_were_graded() -> None:
    answers = {"tickets": {"tiny": items(20), "r@20": items(160, lost=20)}}
    found = selected(answers)
    assert (found.recommended, found.sure) == ("tiny", "cannot tell")
    assert whys(found) == {"r@20": "tickets: 10.0% of its answers ended in an error, 0.0% of the base's"}
    accepted = selected(answers, Wishes(accepted=frozenset({"tickets"})))
    assert (accepted.goal, accepted.recommended) == ("tickets", "r@20")


def test_what_is_not_done_is_left_out() -> None:
    store = filled({"tickets": improving(20, 80, 160)})
    running = cell_of("tickets", "r@40", items(160), CellState.RUNNING)
    store.write_cell("e", running, at=9.0)
    found = EvaluationFollower(store, run_id="r").poll().selection
    assert found is not None
    assert (found.recommended, whys(found)) == ("r@20", {"r@40": "tickets is not done"})


def test_where_all_are_worse_the_base_is_best() -> None:
    found = selected({"tickets": improving(160, 20, 30)})
    assert (found.recommended, found.sure) == ("tiny", "better")


def test_the_goal_is_what_counts_as_success_else_the_first_of_layer_3() -> None:
    answers = {"mmlu": improving(50, 150, 60), "tickets": improving(20, 80, 160)}
    assert selected(answers, Wishes(goal="mmlu")).goal == "mmlu"
    other = selected(answers, Wishes(goal="gsm8k"))
    assert other.goal == "tickets"
    assert other.rule[0].startswith("Goal: tickets (gsm8k was not evaluated; the first task of layer 3)")


def test_without_a_task_of_layer_3_nothing_decides_and_that_is_said() -> None:
    found = selected({"mmlu": improving(50, 150, 60)})
    assert (found.goal, found.recommended, found.sure) == ("", "tiny", "cannot tell")
    assert "nothing decides" in found.rule[0]


def test_with_several_goals_those_that_no_other_beats_are_shown_and_weights_make_them_one() -> None:
    answers = {"tickets": improving(20, 160, 60, 30), "tone": improving(20, 40, 180, 25)}
    found = selected(answers)
    assert (found.goal, found.recommended) == ("tickets", "r@20")
    assert found.trade_offs == ("r@20", "r@40")
    weighed = selected(answers, Wishes(weights={"tickets": 0.2, "tone": 0.8}))
    assert (weighed.goal, weighed.recommended) == ("0.2 × tickets + 0.8 × tone", "r@40")
    gain = 0.2 * (60 - 20) / 200 + 0.8 * (180 - 20) / 200
    assert weighed.rulings[1].why.startswith(f"{gain:+.3f} (")


def test_a_persons_choice_stands_beside_the_rule() -> None:
    store = filled({"tickets": improving(20, 80, 160)})
    follower = EvaluationFollower(store, run_id="r")
    first = follower.poll()
    choice = Choice(run_id="r", subject="r@20", checkpoint="tinker://r/20", reason="kinder", by="me", at=9.0)
    store.choose(choice)
    found = follower.poll()
    assert found.selection is not None
    assert (found.selection.recommended, found.selection.choice) == ("r@40", choice)
    assert found.changed != first.changed
