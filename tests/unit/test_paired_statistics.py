"""Paired differences against scipy and statsmodels, and by simulation: coverage, false alarms, power."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from tcao_tui.domain.statistics.paired import ItemScore, agresti_min, clustered_error, compare, holm
from tcao_tui.domain.statistics.shares import sign_test

RUNS = 1000


def scores(values: Sequence[float | None], clusters: Sequence[str] | None = None) -> dict[str, ItemScore]:
    groups = clusters or [""] * len(values)
    return {f"item {n}": ItemScore(value, groups[n]) for n, value in enumerate(values)}


def binary_pair(rng: np.random.Generator, items: int, base: float, gain: float) -> tuple[np.ndarray, np.ndarray]:
    """Right or wrong answers of two checkpoints whose latent abilities correlate by 0.7, as inspect.md measured."""
    shared = rng.normal(size=items) * math.sqrt(0.7)
    latent = [shared + rng.normal(size=items) * math.sqrt(0.3) for _ in range(2)]
    limits = stats.norm.ppf([1 - base, 1 - base - gain])
    return (latent[0] > limits[0]).astype(float), (latent[1] > limits[1]).astype(float)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_sign_test_is_the_exact_test_of_mcnemar(wins: int, losses: int) -> None:
    table = [[5, wins], [losses, 5]]
    assert sign_test(wins, losses) == pytest.approx(reference_mcnemar(table, exact=True).pvalue, abs=1e-9)


def test_items_that_stand_alone_give_a_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.random(40), rng.random(40)
    found = compare(scores(ours.tolist()), scores(theirs.tolist()))
    reference = stats.ttest_rel(ours, theirs)
    interval = reference.confidence_interval(0.95)
    assert found.p_value == pytest.approx(reference.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_errors_of_items_in_groups_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(12), 5)
    values = rng.normal(size=60) + rng.normal(size=12)[groups]
    fitted = sm.OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert clustered_error(values, [str(group) for group in groups]) == pytest.approx(float(fitted.bse[0]))


@pytest.mark.parametrize("count", range(1, 12))
def test_holm_is_that_of_statsmodels(count: int) -> None:
    p_values = np.random.default_rng(count).beta(0.5, 2, size=count).tolist()
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_items_that_only_one_has_graded_are_left_out_and_counted() -> None:
    found = compare(scores([1.0, None, 0.0, 1.0]), scores([0.0, 1.0, 0.0]))
    assert (found.items, found.left_out, found.wins, found.losses) == (2, 2, 1, 0)


@pytest.mark.parametrize("values", [[], [None, None]])
def test_without_a_graded_item_nothing_is_known(values: list[float | None]) -> None:
    found = compare(scores(values), scores(values))
    assert not found.is_known
    assert found.p_value == 1.0
    assert found.items_to_detect(0.05) is None


def test_no_difference_in_ten_items_leaves_room_for_one() -> None:
    found = compare(scores([1.0] * 10), scores([1.0] * 10))
    assert found.low < -0.1
    assert found.high > 0.1


def test_groups_that_all_moved_alike_prove_no_more_than_their_number() -> None:
    groups = ["a", "a", "b", "b", "c", "c"]
    found = compare(scores([0.6] * 6, groups), scores([0.5] * 6, groups))
    assert not found.is_known
    assert found.p_value == pytest.approx(0.25)


def test_one_group_proves_nothing() -> None:
    found = compare(scores([0.6, 0.9], ["a", "a"]), scores([0.1, 0.2], ["a", "a"]))
    assert found.p_value == 1.0
    assert not found.is_known


@pytest.mark.parametrize(
    ("items", "base", "gain"), [(30, 0.9, 0.05), (100, 0.7, 0.0), (200, 0.7, 0.05), (500, 0.5, 0.1)]
)
def test_intervals_of_right_and_wrong_answers_cover_what_they_promise(items: int, base: float, gain: float) -> None:
    rng = np.random.default_rng(items)
    covered = 0
    for _ in range(RUNS):
        theirs, ours = binary_pair(rng, items, base, gain)
        low, high = agresti_min(int((ours > theirs).sum()), int((ours < theirs).sum()), items)
        covered += low <= gain <= high
    assert 0.93 <= covered / RUNS <= 0.985, "never too narrow; a little wide where few items differ"


@pytest.mark.parametrize("clusters", [40, 100])
def test_intervals_of_scores_in_groups_cover_what_they_promise(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    groups = np.repeat(np.arange(clusters), 4)
    names = [str(group) for group in groups]
    covered = 0
    for _ in range(RUNS):
        theirs = rng.beta(2, 1, size=len(groups))
        ours = theirs + 0.03 + 0.2 * rng.normal(size=len(groups)) + 0.2 * rng.normal(size=clusters)[groups]
        found = compare(scores(ours.tolist(), names), scores(theirs.tolist(), names))
        covered += found.low <= 0.03 <= found.high
    assert 0.93 <= covered / RUNS <= 0.97


def found_share(items: int, gain: float, seed: int) -> float:
    rng = np.random.default_rng(seed)
    pairs = (binary_pair(rng, items, 0.7, gain) for _ in range(RUNS))
    tables = Counter((int((b > a).sum()), int((b < a).sum())) for a, b in pairs)
    return sum(count for table, count in tables.items() if sign_test(*table) < 0.05) / RUNS


def test_equal_checkpoints_are_called_different_in_at_most_one_case_in_twenty() -> None:
    assert found_share(200, 0.0, 3) <= 0.05


def test_a_gain_of_five_points_is_found_as_often_as_it_was_measured() -> None:
    assert found_share(200, 0.05, 4) == pytest.approx(0.28, abs=0.05)
    assert found_share(500, 0.05, 5) == pytest.approx(0.64, abs=0.05)


def test_a_difference_as_large_as_is_detectable_is_found_in_four_of_five_cases() -> None:
    rng = np.random.default_rng(6)

    def pair(gain: float) -> tuple[Mapping[str, ItemScore], Mapping[str, ItemScore]]:
        theirs = rng.random(120)
        return scores((theirs + gain + 0.3 * rng.normal(size=120)).tolist()), scores(theirs.tolist())

    detectable = float(np.mean([compare(*pair(0.0)).detectable() for _ in range(50)]))
    found = np.mean([compare(*pair(detectable)).p_value < 0.05 for _ in range(RUNS)])
    assert found == pytest.approx(0.8, abs=0.04)


def test_four_times_the_items_find_half_the_difference() -> None:
    found = compare(scores([0.9, 0.4, 0.8, 0.7]), scores([0.5, 0.5, 0.6, 0.2]))
    whole = found.items_to_detect(found.detectable())
    half = found.items_to_detect(found.detectable() / 2)
    assert (whole, half) == (4, 16)
