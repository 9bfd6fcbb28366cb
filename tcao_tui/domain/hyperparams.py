"""Numbers of post-training with their sources: learning rates, LoRA ranks and what an adapter of a rank can hold.

Choosing among them for one plan is the business of `policy`; judging a choice that of `checks`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.domain.capabilities import ModelInfo

TINY_PARAMETERS = 100_000_000
"""Below this many parameters a model is for trying things out: it has no use for benchmarks and likes high rates."""

TINY_LEARNING_RATE = 2e-3
"""Measured with templates/demo-plan.yaml: the included model goes from 0 to 96 right answers of 100 in 80 steps."""

UNKNOWN_RANK_CAP = 128
"""Where a server does not publish a model's cap: the highest rank that the cookbook's hyperparameter guide names."""

FAR_BELOW = 0.5
"""An adapter that holds less than this share of the completion tokens is far below the low-regret rule."""


@dataclass(frozen=True, slots=True)
class RateRange:
    """Learning rates that a method is used with: where to start, and the usual lowest and highest."""

    low: float
    start: float
    high: float
    source: str


RATES: dict[str, RateRange] = {
    "sft": RateRange(1e-5, 1e-4, 2e-3, "cookbook supervised.train.Config"),
    "dpo": RateRange(1e-6, 1e-5, 1e-4, "cookbook preference/dpo"),
    "rl": RateRange(1e-6, 4e-5, 1e-4, "cookbook rl_basic (4e-5), math_rl (1e-5)"),
    "distill": RateRange(1e-5, 1e-4, 1e-3, "cookbook distillation/on_policy_distillation"),
    "rlhf": RateRange(1e-5, 2e-4, 2e-3, "cookbook preference/rlhf, SFT stage"),
}
"""By method, for LoRA and models of billions of parameters; SFT prefers `get_lr` or the swept rate of a model."""

SWEEP = "cookbook recipes/chat_sl/results/sft_sweep.md (tulu3, batch 128, 780 steps)"
SWEPT_RATES: tuple[tuple[str, float], ...] = (
    ("nemotron-3-nano", 4e-4),
    ("nemotron-3-super", 4e-4),
    ("nemotron-3-ultra", 3e-4),
    ("deepseek-v3.1", 3e-4),
    ("kimi-k2", 3e-4),
    ("gpt-oss-120b", 3e-4),
    ("gpt-oss-20b", 1e-4),
    ("inkling", 2e-4),
)
"""Part of a model's name, and its best SFT rate in the cookbook's sweep; Inkling's is that of its SFT recipe."""

IMITATING = ("sft", "rlhf")
"""Methods that learn answers word by word: the low-regret rule and the SFT learning rates are about them."""

START_RANKS: dict[str, int] = {"sft": 32, "dpo": 32, "rl": 16, "distill": 32, "rlhf": 32}
"""LoRA rank to start from by method: the cookbook's default, and less for RL, whose reward is little information."""


def rate_text(rate: float) -> str:
    """`1e-5`, `4.73e-4`."""
    mantissa, exponent = f"{rate:.2e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def swept_rate(model_name: str) -> float | None:
    """SFT learning rate of a model in `SWEPT_RATES`."""
    lowered = model_name.lower()
    return next((rate for part, rate in SWEPT_RATES if part in lowered), None)


def is_tiny(model: ModelInfo) -> bool:
    """Whether a model only shows how things work."""
    return model.total_parameters is not None and model.total_parameters < TINY_PARAMETERS


def power_of_two_at_least(number: float) -> int:
    """Smallest power of two that is not less; 1 for anything below."""
    power = 1
    while power < number:
        power *= 2
    return power


def power_of_two_at_most(number: float) -> int:
    """Largest power of two that is not more; 1 for anything below."""
    return max(1, 1 << (max(1, int(number)).bit_length() - 1))


def rank_limit(model: ModelInfo | None) -> int:
    """Largest rank that makes sense: within the model's cap and its hidden size, a power of two."""
    if model is None:
        return UNKNOWN_RANK_CAP
    return power_of_two_at_most(min(model.rank_cap or UNKNOWN_RANK_CAP, model.hidden_size or UNKNOWN_RANK_CAP))


def lora_parameters(model: ModelInfo | None, rank: int) -> int | None:
    """Trainable parameters of an adapter on all layers; None where they are not known."""
    if model is None or model.lora_parameters_per_rank is None:
        return None
    return round(model.lora_parameters_per_rank * rank)


def low_regret_rank(per_rank: float, completion_tokens: float, *, start: int, limit: int) -> int:
    """`start`, doubled until the adapter has a parameter per completion token, or the limit is reached.

    Source: "LoRA Without Regret": LoRA learns like full fine-tuning while its capacity exceeds what the data holds.
    """
    rank = min(start, limit)
    while rank < limit and rank * per_rank < completion_tokens:
        rank *= 2
    return rank
