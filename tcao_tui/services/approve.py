"""Consent: the approval that binds a person to one plan at one price list.

The rules stand here, outside any model. What a plan may cost and whether its cap holds that is judged by the gates;
keeping the ledger and stopping at the cap is the worker's business.
"""

from __future__ import annotations

from dataclasses import asdict

from tcao_tui.domain.checks.cost import range_text
from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.plan import Plan, PriceQuote, approval_hash
from tcao_tui.domain.plan_code import all_code
from tcao_tui.domain.plan_data import all_data_files
from tcao_tui.errors import NeedsInput, PlanInvalid
from tcao_tui.store.port import Approval


def approve(
    plan: Plan, quote: PriceQuote, *, given: str | None, by: str, at: float, cost: CostEstimate, typed: bool = False
) -> Approval:
    """Turn consent into an approval, or say what is missing.

    Args:
        plan: A plan that passed its gates.
        quote: Prices that the person saw.
        given: Hash that the person gave, "auto", or None.
        by: Who approves, for the record.
        at: Unix seconds.
        cost: The estimate that the person saw.
        typed: Whether a person typed it in the console rather than giving it on a command line.

    Raises:
        PlanInvalid: The plan is not bound to its data and code.
        NeedsInput: No hash, the hash of something else, or "auto" where money can be spent.
    """
    if not all(named.recorded for named in (*all_data_files(plan), *all_code(plan))):
        raise PlanInvalid("the plan's data or code is not hashed yet, so an approval would not cover it")
    wanted = approval_hash(plan, quote)
    if given == wanted:
        return Approval(wanted, "typed" if typed else "hash", by, at, quote.model_dump_json())
    if given == "auto" and quote.is_free:
        return Approval(wanted, "auto", by, at, quote.model_dump_json())
    raise NeedsInput(
        _why_not(given, wanted),
        where=f"estimate {range_text(cost.total)}",
        next_step=f"--approve {wanted}",
        details={"approval_hash": wanted, "cost": asdict(cost)},
    )


def _why_not(given: str | None, wanted: str) -> str:
    match given:
        case None | "":
            return f"this plan at these prices needs approval; its hash is {wanted}"
        case "auto":
            return f"auto approves only what costs nothing, and this may; its hash is {wanted}"
        case _:
            return f"the approval is for another plan or other prices; the hash of this one is {wanted}"
