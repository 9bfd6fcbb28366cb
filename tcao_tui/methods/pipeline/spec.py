"""What runs of several stages are, for anyone who lists or draws them; imports nothing heavy."""

from __future__ import annotations

from typing import ClassVar


class PipelineSpec:
    """Any sequence of methods; steps are counted through, and each stage has the metrics of its own method."""

    name: ClassVar[str] = "pipeline"
    summary: ClassVar[str] = "Pipeline: several trainings in a row, each on the weights that an earlier one chose."
    metrics: ClassVar[tuple[str, ...]] = ("train_mean_nll", "val_mean_nll", "learning_rate", "tokens_per_second")


class RlhfSpec:
    """SFT on the chosen answers, a preference model on the pairs, then RL that is rewarded by it."""

    name: ClassVar[str] = "rlhf"
    summary: ClassVar[str] = "RLHF: imitate the chosen answers, learn what people prefer, then practise against that."
    metrics: ClassVar[tuple[str, ...]] = ("reward_mean", "train_mean_nll", "val_accuracy", "val_reward", "kl_reference")
