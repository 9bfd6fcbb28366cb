"""What direct preference optimisation is, for anyone who lists or draws it; imports nothing heavy."""

from __future__ import annotations

from typing import ClassVar


class DpoSpec:
    """The DPO loss on pairs of answers, against fixed reference weights.

    A reward is beta times the log-ratio of an answer: its summed log-probability under the trained weights minus that
    under the reference. `reward_margin` is the chosen reward minus the rejected one, `reward_accuracy` the share of
    pairs in which it is above zero, a tie counting as half. `kl_reference` is the log-ratio of the chosen answers per
    token, nats: how far the weights have moved on these answers; below zero, they have become less likely than they
    were. `chosen_mean_nll` is their negative log-likelihood per token, and `val_mean_nll` the same on held-out pairs.
    """

    name: ClassVar[str] = "dpo"
    summary: ClassVar[str] = "Direct preference optimisation: make the better answer of each pair the likelier one."
    metrics: ClassVar[tuple[str, ...]] = (
        "reward_margin",
        "reward_accuracy",
        "dpo_loss",
        "val_accuracy",
        "val_margin",
        "val_dpo_loss",
        "chosen_reward",
        "rejected_reward",
        "kl_reference",
        "chosen_mean_nll",
        "val_mean_nll",
        "learning_rate",
        "tokens_per_second",
        "step_seconds",
        "num_tokens",
        "num_pairs",
        "epoch",
    )
