"""What reinforcement learning is, for anyone who lists or draws it; imports nothing heavy."""

from __future__ import annotations

from typing import ClassVar


class RlSpec:
    """Policy gradient on the model's own answers, compared within the group of answers to one prompt.

    A resumed run asks the same prompts in the same order, and answers are drawn anew.
    """

    name: ClassVar[str] = "rl"
    summary: ClassVar[str] = "Reinforcement learning: try answers, and learn from those that the reward prefers."
    metrics: ClassVar[tuple[str, ...]] = (
        "reward_mean",
        "reward_std",
        "zero_advantage_share",
        "val_reward",
        "entropy",
        "kl_sample_train",
        "kl_reference",
        "truncated_share",
        "answer_tokens",
        "unscored",
        "staleness",
        "learning_rate",
        "tokens_per_second",
        "step_seconds",
        "num_tokens",
        "sampled_tokens",
        "epoch",
    )
