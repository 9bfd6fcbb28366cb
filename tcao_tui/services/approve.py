"""Consent: the approval that binds a person to one plan at one price list.

The rules stand here, outside any model. What a plan may cost and whether its cap holds that is judged by the gates;
keeping the ledger and stopping at the cap is the worker's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal

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
    how = require_consent(
        given,
        wanted,
        is_free=quote.is_free,
        what="this plan at these prices",
        other="another plan or other prices",
        where=f"estimate {range_text(cost.total)}",
        details={"cost": asdict(cost)},
    )
    return Approval(wanted, "typed" if typed and how == "hash" else how, by, at, quote.model_dump_json())


def require_consent(
    given: str | None,
    wanted: str,
    *,
    is_free: bool,
    what: str,
    other: str,
    risk: str = "this may",
    where: str = "",
    details: Mapping[str, object],
) -> Literal["hash", "auto"]:
    """How consent to anything that may cost was given.

    Args:
        given: The hash that the person gave, "auto", or None.
        wanted: The hash that consent is bound to.
        is_free: Whether nothing can cost anything.
        what: What needs consent, for errors: `this plan at these prices`.
        other: What another hash would be for, for errors.
        risk: What may cost, for errors.
        where: What the person was shown, for errors.
        details: What a script is told besides the hash.

    Raises:
        NeedsInput: No hash, the hash of something else, or "auto" where money can be spent.
    """
    if given == wanted:
        return "hash"
    if given == "auto" and is_free:
        return "auto"
    why = {
        "": f"{what} needs approval",
        "auto": f"auto approves only what costs nothing, and {risk}",
    }.get(given or "")
    told = f"{why}; its hash is {wanted}" if why else f"the approval is for {other}; the hash of this one is {wanted}"
    raise NeedsInput(
        told,
        where=where,
        next_step=f"--approve {wanted}",
        details={"approval_hash": wanted, **details},
    )
