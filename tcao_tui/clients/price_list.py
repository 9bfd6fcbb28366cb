"""Tinker's published price list, read through the cookbook: seconds of imports, so only the worker and a helper do it.

`python -m tcao_tui.clients.price_list --model NAME` prints a quote as JSON.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tinker_cookbook.utils.cost_estimation import TokenCostRates, fetch_model_pricing

from tcao_tui.clients.prices import LOOKUP_SECONDS, planning_quote


def published_rates(base_model: str, timeout_seconds: float) -> TokenCostRates | None:
    """USD per million tokens as published; None when the list lacks the model or was not reached."""
    return fetch_model_pricing(base_model, timeout=timeout_seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a quote as one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.clients.price_list", description=main.__doc__)
    parser.add_argument("--base-url")
    parser.add_argument("--model", required=True)
    parser.add_argument("--timeout-seconds", type=float, default=LOOKUP_SECONDS)
    given = parser.parse_args(arguments)
    quote = planning_quote(
        "tinker", given.base_url, given.model, timeout_seconds=given.timeout_seconds, read_rates=published_rates
    )
    sys.stdout.write(quote.model_dump_json() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
