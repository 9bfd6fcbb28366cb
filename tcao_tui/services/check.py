"""A plan before the gates: read, measured, judged. The one path of `tcao check`, `run`, `replay`, demo and console."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tcao_tui.domain.checks.plan_check import check
from tcao_tui.domain.checks.schema import plan_of
from tcao_tui.domain.draft import Draft, Filled, flat, nested
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import Finding, Gate, GateResult
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import BudgetExceeded, PlanInvalid, TcaoError
from tcao_tui.services import facts as measuring
from tcao_tui.services.backends import Profile
from tcao_tui.store.plan_file import PlanValues, read_values

_CAP = "budget.max_cost_usd"


@dataclass(frozen=True, slots=True)
class Examined:
    """A judged plan.

    Attributes:
        sheet: Gates, cost and hash.
        facts: What was measured.
        away: Why the server's models are not known; None when they are.
    """

    sheet: PlanSheet
    facts: Facts
    away: TcaoError | None = None


def examine(
    draft: Draft,
    profile: Profile,
    *,
    known: Facts | None = None,
    measure: measuring.Sources | None = None,
) -> Examined:
    """Measure what the gates need and judge; spends nothing, and never raises for what is wrong with the plan.

    Args:
        draft: Complete: what it does not say has the documented default.
        profile: Where the plan would run.
        known: Measured before; nothing when None.
        measure: What measures; the real ones when None.
    """
    measure = measure or measuring.sources()
    facts, away = measuring.installed(known or Facts(), measure), None
    plan, _ = plan_of(nested(draft))
    if plan is not None:
        if facts.capabilities is None:
            try:
                facts = facts.with_fact(measure.capabilities(profile))
            except TcaoError as error:
                reason = f"{error.what} ({error.next_step})" if error.next_step else error.what
                facts, away = measuring.without(facts, "capabilities", reason), error
        facts = measuring.gather(plan, facts, measure)
    return Examined(check(draft, facts), facts, away)


def examine_file(
    path: Path,
    profile: Profile,
    *,
    max_cost_usd: float | None = None,
    measure: measuring.Sources | None = None,
) -> Examined:
    """Judge a plan file or a bare training config; findings about keys name file and line.

    Raises:
        InvalidFile: It is no YAML that a plan could be.
    """
    read = read_values(path)
    examined = examine(capped(flat(read.values, source=str(path)), max_cost_usd), profile, measure=measure)
    return replace(examined, sheet=_with_places(examined.sheet, read))


def draft_of(plan: Plan) -> Draft:
    """A plan as the draft that makes it."""
    return flat(plan.model_dump(mode="json"))


def capped(draft: Draft, max_cost_usd: float | None) -> Draft:
    """The draft with a cap that lowers its own, USD; unchanged for None."""
    own = draft[_CAP].value if _CAP in draft else None
    if max_cost_usd is None or (isinstance(own, int | float) and own <= max_cost_usd):
        return draft
    return {**draft, _CAP: Filled(value=max_cost_usd, by="you", reason="given on the command line")}


def obstacle(examined: Examined) -> TcaoError | None:
    """What keeps a plan from being approved, all of it in one error; None when nothing does.

    Returns:
        `BudgetExceeded` when only the cost stands in the way, `PlanInvalid` for all else that is wrong, and the
        server's own error when the plan could not be judged without it.
    """
    failed = [gate for gate in examined.sheet.blockers if gate.status == "fail"]
    errors = [f for gate in failed for f in gate.findings if f.severity == "error"]
    if errors:
        kind = BudgetExceeded if all(f.gate is Gate.COST for f in errors) else PlanInvalid
        return _told(kind, errors)
    if examined.away is not None:
        return examined.away
    missing = [f"{gate.gate}: {gate.why_open}" for gate in examined.sheet.blockers]
    return PlanInvalid("the plan cannot be judged yet:\n" + "\n".join(missing)) if missing else None


def _told(kind: type[TcaoError], errors: list[Finding]) -> TcaoError:
    details = {"errors": [error.model_dump(mode="json", exclude={"severity"}) for error in errors]}
    if len(errors) == 1:
        [error] = errors
        what = f"{error.got}; expected {error.expected}"
        return kind(what, where=error.where or error.path, next_step=error.fix, details=details)
    lines = [f"{error}\n    fix: {error.fix}" for error in errors]
    what = "\n".join([f"{len(errors)} problems", *lines])
    return kind(what, next_step="`tcao check PLAN` shows all gates", details=details)


def _with_places(sheet: PlanSheet, read: PlanValues) -> PlanSheet:
    def place(finding: Finding) -> Finding:
        if finding.where:
            return finding
        file, line = read.place_of(finding.path)
        return finding.model_copy(update={"where": f"{file}:{line}"})

    return replace(sheet, gates=tuple(_each_finding(gate, place) for gate in sheet.gates))


def _each_finding(gate: GateResult, change: Callable[[Finding], Finding]) -> GateResult:
    return gate.model_copy(update={"findings": tuple(change(finding) for finding in gate.findings)})
