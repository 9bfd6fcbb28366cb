"""What an LLM costs: four counters, priced separately; an unknown price makes a cost unknown, never 0.

Anthropic's SDK has no prices: these were read from platform.claude.com/docs on the day that each says, and settings
come first.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from tcao_tui.clients.llm_port import LlmUsage
from tcao_tui.settings import ModelPrice

_READ_ON = datetime.date(2026, 9, 23)

INCLUDED_PRICES: Mapping[str, ModelPrice] = {
    "claude-opus-5-5": ModelPrice(
        input_usd=4.0, output_usd=20.0, cache_write_usd=5.0, cache_read_usd=0.20, as_of=_READ_ON
    ),
    "claude-sonnet-5-5": ModelPrice(
        input_usd=2.0, output_usd=10.0, cache_write_usd=2.5, cache_read_usd=0.20, as_of=_READ_ON
    ),
    "claude-opus-5": ModelPrice(
        input_usd=5.0, output_usd=25.0, cache_write_usd=6.25, cache_read_usd=0.50, as_of=_READ_ON
    ),
}


def price_of(model: str, own: Mapping[str, ModelPrice]) -> ModelPrice | None:
    """Price of a model: the person's own table, then the included one; None when neither has it."""
    return own.get(model) or INCLUDED_PRICES.get(model)


def usd_of(usage: LlmUsage, price: ModelPrice | None) -> float | None:
    """Cost of one request in USD; None as soon as a price that is needed is unknown."""
    if price is None:
        return None
    total = 0.0
    for tokens, usd in (
        (usage.input_tokens, price.input_usd),
        (usage.cache_creation_input_tokens, price.cache_write_usd),
        (usage.cache_read_input_tokens, price.cache_read_usd),
        (usage.output_tokens, price.output_usd),
    ):
        if tokens and usd is None:
            return None
        total += tokens * (usd or 0.0) / 1e6
    return total
