"""Tinker's published price list, read through the cookbook: heavy imports, so only the worker and helpers do it."""

from __future__ import annotations

from tinker_cookbook.utils.cost_estimation import TokenCostRates, fetch_model_pricing


def published_rates(base_model: str, timeout_seconds: float) -> TokenCostRates | None:
    """USD per million tokens as published; None when the list lacks the model or was not reached."""
    return fetch_model_pricing(base_model, timeout=timeout_seconds)
