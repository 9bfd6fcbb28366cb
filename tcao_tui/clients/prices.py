"""What tokens cost on a backend. Light: no tinker, no torch; an unknown price is None, never 0.

The numbers of Tinker come from its published price list, through the cookbook's reader. Storage is not in that list.
`python -m tcao_tui.clients.prices --kind tinker --model NAME` prints a quote as JSON.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from tcao_tui.domain.plan import PriceQuote

if TYPE_CHECKING:
    from tinker_cookbook.utils.cost_estimation import TokenCostRates

LOOKUP_SECONDS = 4.0
STORAGE_USD_PER_GB_MONTH = 0.10
"""Tinker's documentation, Models & Pricing, read 2026-11."""

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
        read_rates: Reader of the price list; the cookbook's unless a test gives another.
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
    if not _is_tinker(backend):
        return PriceQuote(backend=backend, source="unknown: this server publishes no prices")
    rates = _bounded(read_rates or _published_rates, base_model, timeout_seconds)
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


def _is_tinker(backend: str) -> bool:
    if backend == "Tinker":
        return True
    host = urlsplit(backend).hostname or ""
    return any(host == domain or host.endswith("." + domain) for domain in _TINKER_DOMAINS)


def _published_rates(base_model: str, timeout_seconds: float) -> TokenCostRates | None:
    from tinker_cookbook.utils.cost_estimation import fetch_model_pricing

    return fetch_model_pricing(base_model, timeout=timeout_seconds)


def _bounded(read_rates: RatesReader, base_model: str, timeout_seconds: float) -> TokenCostRates | None:
    # A socket timeout bounds neither name resolution nor a slow trickle, so the whole look-up runs beside us.
    found: list[TokenCostRates | None] = []
    thread = threading.Thread(target=lambda: found.append(read_rates(base_model, timeout_seconds)), daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return found[0] if found else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a quote as one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.clients.prices", description=main.__doc__)
    parser.add_argument("--kind", choices=["engine", "tinker"], default="tinker")
    parser.add_argument("--base-url")
    parser.add_argument("--model", required=True)
    parser.add_argument("--timeout-seconds", type=float, default=LOOKUP_SECONDS)
    given = parser.parse_args(arguments)
    quote = price_quote(given.kind, given.base_url, given.model, timeout_seconds=given.timeout_seconds)
    sys.stdout.write(quote.model_dump_json() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
