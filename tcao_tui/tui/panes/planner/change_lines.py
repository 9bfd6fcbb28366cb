"""What an edit changes, as lines: values, what follows from them, gates, cost. Pure."""

from __future__ import annotations

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.draft import Filled
from tcao_tui.domain.gates import GateResult
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.wording import money_text
from tcao_tui.tui.panes.planner.plan_rows import GATE_SIGNS, finding_lines
from tcao_tui.tui.panes.planner.values import value_text
from tcao_tui.tui.plan_changes import Changes, ValueChange
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit


def change_lines(changes: Changes, before: PlanSheet, after: PlanSheet, width: int) -> list[Line]:
    """Everything that differs between two sheets: the edits, gates and cost, then the values that follow."""
    if not (changes.edited or changes.following or changes.gates):
        return [((" nothing changes yet", "muted"),)]
    lines: list[Line] = []
    for change in changes.edited:
        lines += _value(change, width)
    for was, now in changes.gates:
        lines += _gate(was, now, width)
    costs = _cost(before.cost), _cost(after.cost)
    if costs[0] != costs[1]:
        lines.append(((f" cost: {costs[0]} → ", "muted"), (costs[1], "strong")))
    if changes.following:
        lines += [(), ((" and so", "title"),)]
        lines += [line for change in changes.following for line in _value(change, width)]
    return lines


def _value(change: ValueChange, width: int) -> list[Line]:
    room = max(width - 2, 16)
    lines: list[Line] = [((f" {fit(change.path, room).rstrip()}", "text"),)]
    for sign, ink, filled in (("-", "bad", change.before), ("+", "ok", change.after)):
        if filled is not None:
            lines.append(((f"   {sign} ", ink), *_said(filled, room - 6)))
    return lines


def _said(filled: Filled, width: int) -> tuple[Span, Span]:
    value = value_text(filled.value, max(width - 8, 8))
    why = f"({filled.by}{f': {filled.reason}' if filled.reason and filled.by != 'you' else ''})"
    return (f"{value} ", "text"), (fit(why, max(width - len(value) - 1, 1)).rstrip(), "muted")


def _gate(was: GateResult | None, now: GateResult, width: int) -> list[Line]:
    word, ink = GATE_SIGNS[now.status]
    before = "" if was is None or was.status == now.status else f"was {was.status}"
    lines: list[Line] = [((f" {word}  ", ink), (f"{now.gate.value:<13} ", "text"), (before, "accent"))]
    known = set() if was is None else set(was.findings)
    for finding in now.findings:
        if finding not in known:
            lines += finding_lines(finding, width)
    return lines


def _cost(cost: CostEstimate | None) -> str:
    if cost is None:
        return "unknown"
    return "free" if cost.is_free else f"{money_text(cost.total.expected_usd)} expected"
