"""The cookbook's DPO loss over the logprobs of a batch, under our names for its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import tinker
import torch
from tinker_cookbook.preference.train_dpo import compute_dpo_loss

_TIE_NATS = 1e-3
"""Rounding of two summed logprobs; as long as the weights are the reference, margins are nothing else."""


def dpo_loss(
    data: Sequence[tinker.Datum], logprobs: Sequence[torch.Tensor], reference: Sequence[float], beta: float
) -> tuple[torch.Tensor, dict[str, float]]:
    """Loss and numbers of a batch of pairs.

    Args:
        data: Chosen and rejected answers in turn, 2N; each token that counts has weight 1.
        logprobs: Of their target tokens under the trained weights, nats.
        reference: Summed logprobs of the same answers under the reference, nats.
        beta: Strength of the pull towards the reference.

    Returns:
        The mean loss over N pairs, and the numbers that `DpoSpec` explains.
    """
    weights = [torch.from_numpy(datum.loss_fn_inputs["weights"].to_numpy()) for datum in data]
    sums = [torch.dot(each.float().flatten(), weight) for each, weight in zip(logprobs, weights, strict=True)]
    fixed = list(torch.tensor(reference, dtype=torch.float32))
    loss, found = compute_dpo_loss(sums[::2], sums[1::2], fixed[::2], fixed[1::2], beta)
    named = {
        "dpo_loss": found["dpo_loss"],
        "reward_margin": found["margin"],
        "reward_accuracy": _accuracy(sums, fixed),
        "chosen_reward": found["chosen_reward"],
        "rejected_reward": found["rejected_reward"],
    }
    return loss, named | _chosen(sums[::2], fixed[::2], weights[::2])


def _accuracy(sums: Sequence[torch.Tensor], reference: Sequence[torch.Tensor]) -> float:
    """Share of pairs with a positive margin; unlike the cookbook's, a tie is a toss-up: else a start would score 0."""
    ratios = torch.stack(list(sums)).detach() - torch.stack(list(reference))
    margins = ratios[::2] - ratios[1::2]
    return float(torch.where(margins.abs() < _TIE_NATS, 0.5, (margins > 0).float()).mean())


def _chosen(
    sums: Sequence[torch.Tensor], reference: Sequence[torch.Tensor], weights: Sequence[torch.Tensor]
) -> dict[str, float]:
    tokens = max(sum(float(weight.sum()) for weight in weights), 1.0)
    trained, fixed = sum(float(each) for each in sums), sum(float(each) for each in reference)
    return {"kl_reference": (trained - fixed) / tokens, "chosen_mean_nll": -trained / tokens}
