"""By simulation: levels cover what they promise, equal checkpoints are rarely called better, quoted gains are honest.

Answers are right or wrong by latent abilities that correlate by 0.7 between checkpoints, as inspect.md measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import special
from scipy.stats import binomtest, t
from statsmodels.stats.proportion import proportion_confint

from tcao_tui.domain.selection import Evidence, Wishes, select
from tcao_tui.domain.statistics.levels import level
from tcao_tui.domain.statistics.paired import ItemScore, compare
from tcao_tui.domain.statistics.shares import wilson
from tcao_tui.domain.statistics.verdict import Scores, Task, decide
from tests.fakes.evaluated import task

RUNS = 1000
TICKETS, MMLU = task("tickets"), task("mmlu", 2)


def scores(values: np.ndarray) -> Scores:
    return {str(n): ItemScore(float(value)) for n, value in enumerate(values)}


def right(rng: np.random.Generator, shared: np.ndarray, ability: float) -> np.ndarray:
    """Right or wrong answers of one checkpoint to items that are as hard for all."""
    latent = shared * math.sqrt(0.7) + rng.normal(size=len(shared)) * math.sqrt(0.3)
    return (latent > special.ndtri(1 - ability)).astype(float)


def checkpoints(rng: np.random.Generator, abilities: Sequence[float], items: int = 200) -> dict[str, Scores]:
    """The base first, then `c0`, `c1` and so on."""
    shared = rng.normal(size=items)
    names = ["base", *(f"c{n}" for n in range(len(abilities) - 1))]
    return {name: scores(right(rng, shared, each)) for name, each in zip(names, abilities, strict=True)}


def within(low: float, value: float, high: float) -> bool:
    return low <= value <= high


@pytest.mark.parametrize(("count", "of"), [(0, 10), (7, 20), (199, 200)])
def test_wilson_is_that_of_scipy_and_statsmodels(count: int, of: int) -> None:
    mine = wilson(count / of, of)
    theirs = binomtest(count, of).proportion_ci(method="wilson")
    assert mine == pytest.approx((theirs.low, theirs.high))
    assert mine == pytest.approx(proportion_confint(count, of, method="wilson"), abs=1e-9)


def test_a_level_of_scores_is_the_interval_of_students_t() -> None:
    values = np.random.default_rng(0).random(30)
    found = level(values.tolist(), [str(n) for n in range(30)])
    assert found is not None
    wanted = t.interval(0.95, 29, loc=values.mean(), scale=values.std(ddof=1) / math.sqrt(30))
    assert (found.low, found.high) == pytest.approx(wanted)


def test_groups_that_all_got_everything_right_are_known_no_better_than_as_many_answers() -> None:
    found = level([1.0] * 40, [f"text {n // 4}" for n in range(40)])
    assert found is not None
    assert (found.low, found.high) == pytest.approx(wilson(1.0, 10))


def test_levels_of_right_and_wrong_answers_cover_what_they_promise() -> None:
    """Over abilities, since the answers to few items are so few numbers that no interval can cover 95 % at each."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(4 * RUNS):
        ability = rng.uniform(0.1, 0.95)
        found = level((rng.random(100) < ability).astype(float).tolist(), [str(n) for n in range(100)])
        assert found is not None
        covered += within(found.low, ability, found.high)
    assert 0.93 <= covered / (4 * RUNS) <= 0.97


def test_levels_of_scores_cover_what_they_promise() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(2 * RUNS):
        found = level(rng.beta(2, 1, size=60).tolist(), [str(n) for n in range(60)])
        assert found is not None
        covered += within(found.low, 2 / 3, found.high)
    assert 0.93 <= covered / (2 * RUNS) <= 0.97


def test_levels_of_answers_in_groups_cover_what_they_promise() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(50), 4)
    names = [str(group) for group in groups]
    covered = 0
    for _ in range(2 * RUNS):
        values = right(rng, rng.normal(size=50)[groups], 0.6)
        found = level(values.tolist(), names)
        assert found is not None
        covered += within(found.low, 0.6, found.high)
    assert 0.93 <= covered / (2 * RUNS) <= 0.97


def test_differences_cover_what_they_promise() -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(RUNS):
        shared = rng.normal(size=200)
        found = compare(scores(right(rng, shared, 0.6)), scores(right(rng, shared, 0.5)))
        covered += within(found.low, 0.1, found.high)
    assert 0.93 <= covered / RUNS <= 0.97


def power(gain: float, items: int, seed: int) -> float:
    """How often a gain over a base of 0.5 is called better."""
    rng = np.random.default_rng(seed)
    found = (checkpoints(rng, [0.5, 0.5 + gain], items) for _ in range(400))
    gains = [compare(each["c0"], each["base"]) for each in found]
    return sum(gain.p_value < 0.05 and gain.mean > 0 for gain in gains) / len(gains)


def test_as_many_items_as_are_said_to_tell_do_tell_in_four_of_five_cases() -> None:
    rng = np.random.default_rng(5)
    known = checkpoints(rng, [0.5, 0.5], 2_000)
    items = compare(known["c0"], known["base"]).items_to_detect(0.1)
    assert items is not None
    assert 0.74 <= power(0.1, items, 6) <= 0.86, "the exact test of few items is a little more careful than its promise"


def chosen(answers: dict[str, Scores], more: dict[str, Scores] | None = None) -> str:
    evidence = [Evidence(TICKETS, Task("tickets", answers), {})]
    evidence += [Evidence(MMLU, Task("mmlu", more), {})] if more is not None else []
    return select("base", [name for name in answers if name != "base"], evidence, Wishes()).recommended


def test_an_equal_checkpoint_is_recommended_in_at_most_one_case_in_twenty() -> None:
    rng = np.random.default_rng(7)
    called = sum(chosen(checkpoints(rng, [0.7, 0.7])) != "base" for _ in range(RUNS))
    assert called / RUNS <= 0.05


@pytest.mark.slow
def test_of_ten_equal_checkpoints_the_whole_rule_recommends_one_in_at_most_one_case_in_twenty() -> None:
    rng = np.random.default_rng(8)
    called = naive = 0
    for _ in range(RUNS):
        answers, benchmark = (checkpoints(rng, [0.7] * 11) for _ in range(2))
        called += chosen(answers, benchmark) != "base"
        sums = {name: sum(score.value or 0.0 for score in found.values()) for name, found in answers.items()}
        naive += max(sums.values()) > sums["base"]
    assert called / RUNS <= 0.05
    assert naive / RUNS > 0.8, "the best of ten scores lies above the base's nearly always"


def test_the_gain_that_is_quoted_after_choosing_is_no_better_than_the_truth() -> None:
    """Whatever the outcome, the best of five on the items to choose by is quoted by the others."""
    rng = np.random.default_rng(9)
    quoted: list[float] = []
    naive: list[float] = []
    names = [f"c{n}" for n in range(5)]
    for _ in range(500):
        goal = Task("tickets", checkpoints(rng, [0.5, *([0.7] * 5)]))
        found = decide(goal, names, "base")
        assert found.unseen is not None
        quoted.append(found.unseen.mean - 0.2)
        naive.append(max(one.gain.mean for one in found.judged) - 0.2)
    error = float(np.std(quoted)) / math.sqrt(len(quoted))
    assert abs(float(np.mean(quoted))) < 3 * error
    assert float(np.mean(naive)) > 0.015, "the best of five is flattered by its luck"
