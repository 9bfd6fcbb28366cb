"""What validation rows give each method: the metrics of its evals, most telling first."""

from __future__ import annotations

from collections.abc import Mapping

HELD_OUT_METRICS: Mapping[str, tuple[str, ...]] = {
    "sft": ("val_mean_nll",),
    "dpo": ("val_accuracy", "val_mean_nll"),
    "preference_model": ("val_accuracy", "val_mean_nll"),
    "rl": ("val_reward",),
    "distill": ("val_teacher_kl", "val_mean_nll"),
    "rlhf": ("val_reward", "val_accuracy", "val_mean_nll"),
}
"""As the methods' specs have them; of distillation the second is what imitating the teacher's answers gives."""

FALLING_METRICS = ("val_mean_nll", "val_teacher_kl")
"""Metrics of which less is better."""


def held_out_metrics(method: str) -> tuple[str, ...]:
    """Metrics that validation rows give a method; those of SFT for one that is not known."""
    return HELD_OUT_METRICS.get(method, HELD_OUT_METRICS["sft"])
