"""What supervised fine-tuning is, for anyone who lists or draws it; imports nothing heavy."""

from __future__ import annotations

from typing import ClassVar


class SftSpec:
    """Cross-entropy on the answers of a fixed set of rows."""

    name: ClassVar[str] = "sft"
    summary: ClassVar[str] = "Supervised fine-tuning: learn to give the answers of the training rows."
    metrics: ClassVar[tuple[str, ...]] = (
        "train_mean_nll",
        "val_mean_nll",
        "val_perplexity",
        "learning_rate",
        "tokens_per_second",
        "step_seconds",
        "num_tokens",
        "num_loss_tokens",
        "epoch",
    )
