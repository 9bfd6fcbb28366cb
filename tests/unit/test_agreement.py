"""Agreement of a judge with people, held against statsmodels and against what is known of the edges."""

from __future__ import annotations

from typing import Any

import pytest
from statsmodels.stats.inter_rater import cohens_kappa as reference

from tcao_tui.domain.statistics.agreement import Confusion, Kappa, cohens_kappa, confusion, meaning


@pytest.mark.parametrize("cells", [(40, 3, 5, 52), (20, 5, 10, 15), (1, 9, 2, 88), (10, 30, 25, 12), (3, 0, 1, 4)])
def test_kappa_and_its_interval_are_those_of_statsmodels(cells: tuple[int, int, int, int]) -> None:
    one, two, three, four = cells
    wanted: Any = reference([[one, two], [three, four]])
    found = cohens_kappa(Confusion(*cells))
    assert found is not None
    assert found.value == pytest.approx(wanted.kappa)
    assert found.low == pytest.approx(max(-1, wanted.kappa_low))
    assert found.high == pytest.approx(min(1, wanted.kappa_upp))


def test_perfect_agreement_on_few_answers_is_not_taken_for_certain() -> None:
    few, many = cohens_kappa(Confusion(5, 0, 0, 5)), cohens_kappa(Confusion(500, 0, 0, 500))
    assert few is not None
    assert many is not None
    assert few.value == many.value == 1
    assert few.low < 0.5
    assert many.low > 0.99


def test_kappa_of_one_grade_only_or_of_nothing_is_not_made_up() -> None:
    assert cohens_kappa(Confusion(40, 0, 0, 0)) is None
    assert cohens_kappa(Confusion(0, 0, 0, 0)) is None


def test_pairs_are_counted_with_people_first() -> None:
    pairs = [(True, True), (True, False), (False, True), (False, True), (False, False)]
    assert confusion(pairs) == Confusion(both_right=1, only_people=1, only_judge=2, both_wrong=1)


@pytest.mark.parametrize(
    ("items", "kappa", "said"),
    [
        (29, Kappa(0.9, 0.8, 1.0), "too few"),
        (30, None, "both kinds"),
        (30, Kappa(0.8, 0.61, 0.99), "may stand for"),
        (30, Kappa(0.3, 0.1, 0.5), "mend the rubric"),
        (30, Kappa(0.6, 0.4, 0.8), "cannot be told"),
    ],
)
def test_what_kappa_means_rests_on_its_interval(items: int, kappa: Kappa | None, said: str) -> None:
    assert said in meaning(Confusion(items, 0, 0, 0), kappa)
