"""Tinker's losses, as sums over tokens.

Sums, not means: a per-sequence mean would change the size of every gradient (and explode DPO's, whose weights add up
to zero). Formulas: Tinker documentation, "Losses". Out of scope: computing logprobs (`trainer.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from tcao_tui.engine.api_errors import ApiError, WorkFailed

Inputs = Mapping[str, torch.Tensor]
Config = Mapping[str, float | str]
Loss = Callable[[torch.Tensor, Inputs, Config], torch.Tensor]

CLIP_LOW = 0.8
CLIP_HIGH = 1.2
"""Bounds of the probability ratio in ppo and cispo when the request gives none (Tinker documentation)."""


def _cross_entropy(logprobs: torch.Tensor, inputs: Inputs, config: Config) -> torch.Tensor:
    """-sum(weights * logprobs)."""
    return -(logprobs * inputs["weights"]).sum()


def _ratio(logprobs: torch.Tensor, inputs: Inputs) -> torch.Tensor:
    return torch.exp(logprobs - inputs["logprobs"])


def _importance_sampling(logprobs: torch.Tensor, inputs: Inputs, config: Config) -> torch.Tensor:
    """-sum(p / q * advantages), where q are the sampler's probabilities."""
    return -(_ratio(logprobs, inputs) * inputs["advantages"]).sum()


def _clipped(ratio: torch.Tensor, config: Config) -> torch.Tensor:
    low = float(config.get("clip_low_threshold", CLIP_LOW))
    high = float(config.get("clip_high_threshold", CLIP_HIGH))
    return ratio.clamp(low, high)


def _ppo(logprobs: torch.Tensor, inputs: Inputs, config: Config) -> torch.Tensor:
    """-sum(min(ratio * advantages, clip(ratio) * advantages))."""
    ratio = _ratio(logprobs, inputs)
    advantages = inputs["advantages"]
    return -torch.minimum(ratio * advantages, _clipped(ratio, config) * advantages).sum()


def _cispo(logprobs: torch.Tensor, inputs: Inputs, config: Config) -> torch.Tensor:
    """-sum(stop_gradient(clip(ratio)) * logprobs * advantages)."""
    weight = _clipped(_ratio(logprobs, inputs), config).detach()
    return -(weight * logprobs * inputs["advantages"]).sum()


LOSSES: dict[str, tuple[Loss, tuple[str, ...]]] = {
    "cross_entropy": (_cross_entropy, ("weights",)),
    "importance_sampling": (_importance_sampling, ("logprobs", "advantages")),
    "ppo": (_ppo, ("logprobs", "advantages")),
    "cispo": (_cispo, ("logprobs", "advantages")),
}
"""Name -> formula and the per-token inputs it needs besides `target_tokens`."""

CONFIG_KEYS = {
    "ppo": {"clip_low_threshold", "clip_high_threshold"},
    "cispo": {"clip_low_threshold", "clip_high_threshold"},
}


def check_loss(name: str, config: Config) -> None:
    """Refuse what would fail later.

    Raises:
        ApiError: 400, the loss is not offered or does not take a config key.
    """
    if name not in LOSSES:
        raise ApiError(400, f"loss {name!r} is not offered by the local engine; it has: {', '.join(LOSSES)}")
    if unknown := set(config) - CONFIG_KEYS.get(name, set()):
        raise ApiError(400, f"loss {name!r} does not take: {', '.join(sorted(unknown))}")


def compute_loss(name: str, logprobs: torch.Tensor, inputs: Inputs, config: Config) -> torch.Tensor:
    """The loss of one padded batch.

    Args:
        name: A key of `LOSSES`.
        logprobs: Of the target tokens, shape (B, T, K).
        inputs: Per-token inputs of the same shape, zero where padded.
        config: Thresholds.

    Returns:
        The sum over all tokens, a scalar.

    Raises:
        WorkFailed: An input is missing.
    """
    loss, needed = LOSSES[name]
    if missing := [key for key in needed if key not in inputs]:
        raise WorkFailed(f"loss {name!r} needs the inputs {', '.join(needed)}; missing: {', '.join(missing)}")
    return loss(logprobs, inputs, config)
