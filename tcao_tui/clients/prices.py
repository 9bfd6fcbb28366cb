"""What tokens cost on a backend. Light: no tinker, no torch; an unknown price is None, never 0.

Reading Tinker's published list is heavy and the business of `clients.price_list`. Storage is not in that list. Where
the list cannot be had, plans are made with a bundled copy that says its date; the worker never takes that for news.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from tcao_tui.domain.plan import PriceQuote

if TYPE_CHECKING:
    from tinker_cookbook.utils.cost_estimation import TokenCostRates

LOOKUP_SECONDS = 4.0
STORAGE_USD_PER_GB_MONTH = 0.10
"""Tinker's documentation, Models & Pricing, read 2026-11."""

_BUNDLED = Path(__file__).with_name("bundled_prices.json")
_TINKER_DOMAINS = ("thinkingmachines.dev", "thinkingmachines.ai")

type RatesReader = Callable[[str, float], TokenCostRates | None]


def price_quote(
    kind: Literal["engine", "tinker"],
    base_url: str | None,
    base_model: str,
    *,
    timeout_seconds: float = LOOKUP_SECONDS,
    read_rates: RatesReader | None = None,
) -> PriceQuote:
    """Prices of `base_model` on a backend; blocks at most `timeout_seconds`, never raises.

    Args:
        kind: "engine" is our own local server, free by nature; "tinker" any other that speaks the API.
        base_url: Its address; None is the SDK's default.
        base_model: As the server names it, with its `:peft:` suffix: long-context variants cost differently.
        timeout_seconds: Longest wait for the price list.
        read_rates: Reader of the price list; without one, prices that are not free are unknown.
    """
    if kind == "engine":
        return PriceQuote(
            backend=base_url or "local engine",
            source="local engine: free",
            train_usd=0,
            prefill_usd=0,
            sample_usd=0,
            storage_usd_per_gb_month=0,
        )
    backend = base_url or os.environ.get("TINKER_BASE_URL") or "Tinker"
    if not is_tinker(backend):
        return PriceQuote(backend=backend, source="unknown: this server publishes no prices")
    rates = _bounded(read_rates, base_model, timeout_seconds) if read_rates else None
    if rates is None:
        return PriceQuote(backend=backend, source="unknown: Tinker's price list was not reached or lacks the model")
    return PriceQuote(
        backend=backend,
        source="Tinker's published price list",
        train_usd=rates.train_usd_per_million,
        prefill_usd=rates.prefill_usd_per_million,
        sample_usd=rates.sample_usd_per_million,
        storage_usd_per_gb_month=STORAGE_USD_PER_GB_MONTH,
    )


def planning_quote(
    kind: Literal["engine", "tinker"],
    base_url: str | None,
    base_model: str,
    *,
    timeout_seconds: float = LOOKUP_SECONDS,
    read_rates: RatesReader | None = None,
) -> PriceQuote:
    """Like `price_quote`, with the dated copy in place of a list that was not reached; for planning and consent."""
    quote = price_quote(kind, base_url, base_model, timeout_seconds=timeout_seconds, read_rates=read_rates)
    if quote.train_usd is not None or not is_tinker(quote.backend):
        return quote
    listed: dict[str, Any] = json.loads(_BUNDLED.read_text(encoding="utf-8"))
    rates = listed["usd_per_million_tokens"].get(base_model)
    if rates is None:
        return quote
    return PriceQuote(
        backend=quote.backend,
        source=f"bundled copy of Tinker's prices of {listed['as_of']}: the published list was not reached",
        train_usd=rates["train"],
        prefill_usd=rates["prefill"],
        sample_usd=rates["sample"],
        storage_usd_per_gb_month=STORAGE_USD_PER_GB_MONTH,
    )


def storage_price(kind: Literal["engine", "tinker"], base_url: str | None) -> float | None:
    """What a backend takes for keeping checkpoints, USD per GB and month; None when it is not known."""
    if kind == "engine":
        return 0.0
    backend = base_url or os.environ.get("TINKER_BASE_URL") or "Tinker"
    return STORAGE_USD_PER_GB_MONTH if is_tinker(backend) else None


def is_tinker(backend: str) -> bool:
    """Whether an address is that of Tinker itself; "Tinker" stands for the SDK's default."""
    if backend == "Tinker":
        return True
    host = urlsplit(backend).hostname or ""
    return any(host == domain or host.endswith("." + domain) for domain in _TINKER_DOMAINS)


def _bounded(read_rates: RatesReader, base_model: str, timeout_seconds: float) -> TokenCostRates | None:
    # A socket timeout bounds neither name resolution nor a slow trickle, so the whole look-up runs beside us.
    found: list[TokenCostRates | None] = []
    thread = threading.Thread(target=lambda: found.append(read_rates(base_model, timeout_seconds)), daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return found[0] if found else None
