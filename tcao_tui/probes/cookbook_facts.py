"""What the cookbook knows of a model by its name: chat formats, learning rate, adapter size. Seconds of imports."""

from __future__ import annotations

from dataclasses import dataclass

from tinker_cookbook import hyperparam_utils, model_info
from tinker_cookbook.exceptions import TinkerCookbookError

from tcao_tui.domain.capabilities import Training
from tcao_tui.domain.model_names import base_name, parameters_in
from tcao_tui.domain.policy.renderer import thinks

LORA_SOURCE = "cookbook get_lora_param_count"

RANK_CAPS: dict[str, int] = {
    "thinkingmachines/Inkling-Small": 64,
    "nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16": 32,
    "zai-org/GLM-5.3": 32,
}
"""Largest LoRA ranks on Tinker as users probed them in 2026; no API tells them, those of other models are unknown."""

_EFFORT_BY_PROMPT = "tml_v0"


@dataclass(frozen=True, slots=True)
class CookbookFacts:
    """Fields as in `ModelInfo`; empty or None where the cookbook does not know the model."""

    renderers: tuple[str, ...] = ()
    training: Training = "unknown"
    is_vision: bool = False
    total_parameters: int | None = None
    active_parameters: int | None = None
    lora_parameters_per_rank: float | None = None
    sft_learning_rate: float | None = None


def cookbook_facts(name: str) -> CookbookFacts:
    """Look a model up in the cookbook's tables; asks no network."""
    per_rank = _lora_parameters_per_rank(name)
    # For models that are not in its tables `get_lr` asks the Hugging Face hub, which may take minutes to fail.
    rate = _learning_rate(name) if per_rank is not None else None
    try:
        attributes = model_info.get_model_attributes(name)
    except (TinkerCookbookError, KeyError, ValueError):
        return CookbookFacts(lora_parameters_per_rank=per_rank, sft_learning_rate=rate)
    total, active = parameters_in(attributes.size_str) or (None, None)
    return CookbookFacts(
        renderers=tuple(attributes.recommended_renderers),
        training=training_of(attributes.recommended_renderers) if attributes.is_chat else "base",
        is_vision=attributes.is_vl,
        total_parameters=total,
        active_parameters=active,
        lora_parameters_per_rank=per_rank,
        sft_learning_rate=rate,
    )


def training_of(renderers: tuple[str, ...]) -> Training:
    """How a chat model was trained before, as far as its chat formats tell."""
    thinking = [thinks(name) for name in renderers]
    if not renderers or _EFFORT_BY_PROMPT in renderers:
        return "hybrid" if renderers else "unknown"
    return "reasoning" if all(thinking) else "hybrid" if any(thinking) else "instruct"


def rank_cap(name: str) -> int | None:
    """Largest LoRA rank of a model on Tinker, where it is known."""
    return RANK_CAPS.get(base_name(name))


def _lora_parameters_per_rank(name: str) -> float | None:
    try:
        return float(hyperparam_utils.get_lora_param_count(name, lora_rank=1))
    except TinkerCookbookError:
        return None


def _learning_rate(name: str) -> float | None:
    try:
        return hyperparam_utils.get_lr(name, is_lora=True)
    except (TinkerCookbookError, NotImplementedError):
        return None
