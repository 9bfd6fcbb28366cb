"""Evaluations whose processes are killed at random: nothing that was answered is asked again, and nothing is lost."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tcao_tui.domain.evaluation import ItemResult
from tcao_tui.store.evaluation_dir import evaluation_dir
from tests.fakes.live_evaluation import CONNECTIONS, LiveEvaluation, Place, slow_place, wait_for

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with slow_place(tmp_path_factory.mktemp("kills")) as found:
        yield found


def carried_out(place: Place, *, samples: int, kills: int, seed: int) -> LiveEvaluation:
    """An evaluation that was killed so many times while it asked for answers, each time at another place."""
    dice = random.Random(seed)
    evaluation = LiveEvaluation(place, samples, f"killed-{seed}")
    for after in sorted(dice.sample(range(samples * 2 // 3), kills)):
        evaluation.wait_for_answers(after + 1)
        what = dice.choice(["cell", "driver", "both"])
        wait_for(lambda what=what: evaluation.kill(what) > 0, "nothing is left to kill")
    evaluation.finish()
    return evaluation


def check(evaluation: LiveEvaluation, expected: dict[str, ItemResult]) -> None:
    assert evaluation.answers == evaluation.samples  # an answer that reached us was never asked for again
    assert evaluation.asked <= evaluation.samples + CONNECTIONS * evaluation.kills_while_asking
    assert evaluation.items == expected
    cell = evaluation.cell
    assert (cell.counts.planned, cell.counts.completed) == (evaluation.samples, evaluation.samples)
    assert cell.usage.output_tokens == sum(one.tokens for one in expected.values())
    assert (evaluation_dir(evaluation.place.runs, evaluation.id) / cell.log).is_file()


def uninterrupted(place: Place, samples: int) -> dict[str, ItemResult]:
    evaluation = LiveEvaluation(place, samples, "uninterrupted")
    evaluation.finish()
    assert evaluation.asked == samples
    return evaluation.items


def test_killed_at_three_places_an_evaluation_pays_no_answer_twice_and_finds_the_same(place: Place) -> None:
    check(carried_out(place, samples=12, kills=3, seed=4), uninterrupted(place, 12))


@pytest.mark.slow
def test_killed_at_fifty_places_evaluations_pay_no_answer_twice_and_find_the_same(place: Place) -> None:
    expected = uninterrupted(place, 60)
    for seed in range(5):
        check(carried_out(place, samples=60, kills=10, seed=100 + seed), expected)
