"""How the rules planner ends: what the plan comes to and what was assumed, or what keeps it from being ready. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.interview import Said
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.slots import SLOTS
from tcao_tui.domain.wording import money_text
from tcao_tui.planner.rules.case import Case
from tcao_tui.planner.rules.moves import Move, Say, UseTool, Wait

_REASON_CHARACTERS = 140
_WARNINGS = 4
_READY, _NOT_READY = "The plan is ready: ", "The plan cannot be approved yet:"


def check(case: Case) -> Move | None:
    """Judge the plan by all gates, on record, whenever anything changed."""
    return None if case.is_checked else UseTool("check_plan", {})


def conclude(case: Case) -> Move:
    """The last words of a turn, once; after them it is the person's turn until something changes."""
    last = case.state.transcript[-1].entry if case.state.transcript else None
    if isinstance(last, Said) and last.who == "planner" and last.text.startswith((_READY, _NOT_READY)):
        return Wait()
    return Say("\n".join(_ready(case) if case.sheet.is_ready else _not_ready(case.sheet)))


def _ready(case: Case) -> Iterator[str]:
    sheet, plan = case.sheet, case.sheet.plan
    if plan is not None:
        yield f"{_READY}{_in_a_sentence(plan, case)}"
    if not _was_told(case) and (assumed := list(_assumed(sheet))):
        yield "Assumed, since nobody said otherwise:"
        yield from assumed
    warnings = [f for gate in sheet.gates for f in gate.findings if f.severity == "warning"]
    if warnings:
        yield "\nWorth knowing:"
        yield from (f"- {f.path}: {f.got}. {f.fix}" for f in warnings[:_WARNINGS])
    if plan is not None and plan.method not in case.state.facts.methods:
        yield f"\nNo worker here can carry out method {plan.method} yet: this ends with the approved plan."
    yield "\nChange anything by saying so or by hand. Nothing runs before you approve it."


def _was_told(case: Case) -> bool:
    """Whether the assumptions were listed before: then only what changed is news."""
    words = (stored.entry for stored in case.state.transcript if isinstance(stored.entry, Said))
    return any(entry.who == "planner" and entry.text.startswith(_READY) for entry in words)


def _not_ready(sheet: PlanSheet) -> Iterator[str]:
    yield _NOT_READY
    errors = [finding for gate in sheet.blockers for finding in gate.findings if finding.severity == "error"]
    yield from (f"- {finding}. Fix: {finding.fix}" for finding in errors)
    if not errors:
        yield from (f"- {gate.gate}: {one_line(gate.why_open)}" for gate in sheet.blockers)


def _in_a_sentence(plan: Plan, case: Case) -> str:
    config, cost = plan.training, case.sheet.cost
    rows = f"{case.train.rows:,} rows" if case.train is not None else "the rows"
    if cost is None or cost.total.expected_usd is None:
        price = "its cost is unknown"
    elif cost.is_free:
        price = "it costs nothing"
    else:
        price = f"about {money_text(cost.total.expected_usd)}, at most {money_text(plan.budget.max_cost_usd)}"
    return (
        f"{plan.method.upper()} of {one_line(config.base_model)} on {rows}, "
        f"{config.num_steps:,} steps of {config.step_size}; {price}."
    )


def _assumed(sheet: PlanSheet) -> Iterator[str]:
    """What policy decided of the slots, one line each."""
    for slot in SLOTS:
        paths = [path for path in slot.paths if path in sheet.draft and sheet.draft[path].by == "policy"]
        if paths:
            values = ", ".join(
                f"{path.rpartition('.')[2]} {one_line(_shown(sheet.draft[path].value), 100)}" for path in paths
            )
            yield f"- {slot.title}: {values} ({one_line(sheet.draft[paths[0]].reason, _REASON_CHARACTERS)})"


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case [*items]:
            return ", ".join(_shown(item) for item in items) or "none"
        case {"name": name}:
            return str(name)
        case _:
            return str(value)
