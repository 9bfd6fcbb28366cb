"""The numbers of a batch of pairs, by hand."""

from __future__ import annotations

import math

import pytest
import tinker
import torch

from tcao_tui.methods.dpo.loss import dpo_loss
from tcao_tui.methods.pairs import PairRows
from tests.fakes.rendered_pairs import make_pairs

BETA = 0.5


def datums(pairs: PairRows) -> list[tinker.Datum]:
    return pairs.rows.data(range(2 * len(pairs)))


def logprobs(data: list[tinker.Datum], per_token: list[float]) -> list[torch.Tensor]:
    """The same logprob for every target of a row, prompt included."""
    return [
        torch.full((each.model_input.length,), value, requires_grad=True)
        for each, value in zip(data, per_token, strict=True)
    ]


def test_rewards_margin_and_loss_are_those_of_the_paper() -> None:
    data = datums(make_pairs(2))
    # Summed over one chosen and two rejected tokens: log-ratios +1 and -1, then 0 and +2.
    trained = logprobs(data, [-2.0, -3.0, -4.0, -1.0])
    loss, found = dpo_loss(data, trained, [-3.0, -5.0, -4.0, -4.0], BETA)
    expected = [math.log1p(math.exp(-BETA * 2)), math.log1p(math.exp(BETA * 2))]
    assert float(loss) == pytest.approx(sum(expected) / 2)
    assert found == pytest.approx(
        {
            "dpo_loss": sum(expected) / 2,
            "reward_margin": BETA * (2 - 2) / 2,
            "reward_accuracy": 0.5,
            "chosen_reward": BETA * (1 + 0) / 2,
            "rejected_reward": BETA * (-1 + 2) / 2,
            "kl_reference": (1 + 0) / 2,
            "chosen_mean_nll": (2 + 4) / 2,
        }
    )


def test_only_answers_are_pushed_and_in_opposite_directions() -> None:
    data = datums(make_pairs(1))
    trained = logprobs(data, [-2.0, -3.0])
    loss, _ = dpo_loss(data, trained, [-2.0, -6.0], BETA)
    loss.backward()
    chosen, rejected = (each.grad for each in trained)
    assert chosen is not None
    assert rejected is not None
    assert chosen.tolist() == pytest.approx([0, 0, -BETA / 2])
    assert rejected.tolist() == pytest.approx([0, 0, BETA / 2, BETA / 2])


def test_a_margin_of_nothing_but_rounding_is_a_toss_up() -> None:
    data = datums(make_pairs(2))
    _, found = dpo_loss(data, logprobs(data, [-2.00001, -3.0, -1.0, -1.0]), [-2.0, -6.0, -1.0, -1.9999], BETA)
    assert found["reward_accuracy"] == 0.5


def test_pairs_that_say_nothing_once_cut_are_not_judged() -> None:
    pairs = make_pairs(1)
    alike = ([1, 1, *[5] * 98, 6], [False, False, *[True] * 99])
    other = ([1, 1, *[5] * 98, 7], [False, False, *[True] * 99])
    pairs.add((alike, other), 7)
    pairs.add((alike, other), 9)
    assert (list(pairs.idle), pairs.first_idle_line, pairs.truncated) == ([1, 2], 7, 2)
    assert pairs.judged == [0, 1]
