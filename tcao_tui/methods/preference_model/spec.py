"""What a preference model is, for anyone who lists or draws it; imports nothing heavy."""

from __future__ import annotations

from typing import ClassVar


class PreferenceModelSpec:
    """Cross-entropy on one letter: A or B, whichever of two answers was chosen.

    `val_accuracy` is the share of held-out judgements in which the right letter is likelier than the wrong one; each
    pair is judged twice, once in each order, so a model that always says A gets 0.5.
    """

    name: ClassVar[str] = "preference_model"
    summary: ClassVar[str] = "Preference model: learn which of two answers is the better one, as the reward of RL."
    metrics: ClassVar[tuple[str, ...]] = (
        "train_mean_nll",
        "val_accuracy",
        "val_mean_nll",
        "learning_rate",
        "tokens_per_second",
        "step_seconds",
        "num_tokens",
        "num_pairs",
        "epoch",
    )
