"""The one way to an approval: a person's consent to exactly the present sheet, and to an amount where it may cost."""

from __future__ import annotations

from tcao_tui.domain.interview import Approved
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.wording import money_text
from tcao_tui.errors import BudgetExceeded, NeedsInput, PlanInvalid, Refused
from tcao_tui.planner.contradictions import quote_that_data_stays


def approval(
    state: InterviewState, sheet: PlanSheet, *, given: str, by: str, max_cost_usd: float | None, typed: bool
) -> Approved:
    """The approval of a sheet, or what is missing; see `Session.approve`."""
    if state.profile != "local" and (said := quote_that_data_stays(state)):
        raise Refused(
            f"you said “{said}”, and {state.profile} is not on this machine",
            next_step=f"tcao plan --fork {state.interview_id} --backend local",
        )
    plan, quote, wanted = sheet.plan, sheet.quote, sheet.approval_hash
    if plan is None or quote is None or wanted is None:
        raise PlanInvalid(
            "\n".join(_missing(sheet)) or "the plan is not complete", next_step="go on with the interview"
        )
    if given != wanted:
        what = "the hash is for another plan or other prices" if given else "this plan needs approval"
        raise NeedsInput(f"{what}; its hash is {wanted}", next_step=f"--approve {wanted}")
    if not quote.is_free:
        _check_amount(plan, sheet, max_cost_usd)
    return Approved(
        approval_hash=wanted,
        how="typed" if typed else "hash",
        by=by,
        max_cost_usd=max_cost_usd,
        plan=plan.model_dump(mode="json"),
        quote=quote.model_dump(mode="json"),
    )


def fitting_approval(state: InterviewState, sheet: PlanSheet) -> Approved:
    """The approval that fits the plan as it stands. Raises `Refused`."""
    approved = state.approved
    if approved is None:
        raise Refused(
            "no approval stands: any change of the plan voids it", next_step="look at the plan, then approve it"
        )
    if approved.approval_hash != sheet.approval_hash:
        raise Refused(
            f"approved was {approved.approval_hash}, and the plan is now {sheet.approval_hash or 'not complete'}",
            next_step="look at the plan, then approve it again",
        )
    return approved


def standing_approval(state: InterviewState, sheet: PlanSheet) -> Approved:
    """The approval that fits the plan as it stands and that no run has used. Raises `Refused`."""
    if state.run_id:
        raise Refused(f"run {state.run_id} has this plan already", next_step=f"tcao watch {state.run_id}")
    return fitting_approval(state, sheet)


def approved_plan(approved: Approved) -> tuple[Plan, PriceQuote]:
    """What was approved."""
    return Plan.model_validate(approved.plan), PriceQuote.model_validate(approved.quote)


def _check_amount(plan: Plan, sheet: PlanSheet, amount: float | None) -> None:
    expected = None if sheet.cost is None else sheet.cost.total.expected_usd
    cap = plan.budget.max_cost_usd
    if amount is None:
        raise NeedsInput(
            f"this plan may cost money ({money_text(expected)} expected): the amount that it may cost must be given",
            where="budget.max_cost_usd",
            next_step="--max-cost USD",
        )
    if expected is not None and amount < expected:
        raise BudgetExceeded(
            f"{money_text(amount)} does not hold the {money_text(expected)} that the plan is expected to cost",
            where="budget.max_cost_usd",
            next_step="fewer steps, a smaller model, or a higher amount",
        )
    if expected is not None and (cap is None or amount < cap):
        stands = "not there" if cap is None else money_text(cap)
        raise NeedsInput(
            f"the worker would stop at the plan's cap, which is {stands}, not at {money_text(amount)}",
            where="budget.max_cost_usd",
            next_step=f"set budget.max_cost_usd to {amount:g} first",
        )


def _missing(sheet: PlanSheet) -> list[str]:
    lines: list[str] = []
    for gate in sheet.blockers:
        lines += [f"{finding}; {finding.fix}" for finding in gate.findings if finding.severity == "error"]
        lines += [gate.why_open] if gate.why_open else []
    return lines
