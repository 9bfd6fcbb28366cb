"""What the plan card tells of the row under its cursor: values, reasons, sources, alternatives, fixes. Pure."""

from __future__ import annotations

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.gates import GATE_TITLES
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.slots import slot_named
from tcao_tui.domain.wording import money_text
from tcao_tui.tui.panes.planner.plan_rows import PROVENANCE, REST, finding_lines
from tcao_tui.tui.panes.planner.values import value_text
from tcao_tui.tui.widgets.line_view import Line
from tcao_tui.tui.widgets.text_block import wrapped

_ALTERNATIVES = 3


def detail_lines(sheet: PlanSheet, key: str, width: int, most: int) -> list[Line]:
    """At most `most` lines on the row of this key."""
    kind, _, name = key.partition(":")
    match kind:
        case "slot":
            lines = _slot(sheet, name, width)
        case "path":
            lines = path_lines(name, sheet.draft.get(name), width)
        case "gate":
            lines = _gate(sheet, name, width)
        case "cost" if sheet.cost is not None:
            lines = _cost(sheet.cost, name, width)
        case _:
            lines = []
    return lines if len(lines) <= most else [*lines[: most - 1], (("   …", "muted"),)]


def _slot(sheet: PlanSheet, name: str, width: int) -> list[Line]:
    slot = slot_named(name)
    if slot is None:
        return _text("⏎ shows what policy filled in that no question asks for", width) if name == REST else []
    for path in slot.paths:
        if path in sheet.draft:
            return path_lines(path, sheet.draft[path], width)
    return [*_text(slot.question, width, "text"), *_text(slot.why, width)]


def path_lines(path: KeyPath, filled: Filled | None, width: int) -> list[Line]:
    """A value in full, who it is from, why, and what else was considered."""
    if filled is None:
        return _text(f"{path}: nobody set it, and no rule does", width)
    lines = _text(f"{path} = {value_text(filled.value)}", width, "strong", most=3)
    word, _ink = PROVENANCE[filled.by]
    reason = f"{word}: {filled.reason}" if filled.reason else word
    lines += _text(f"{reason} ({filled.source})" if filled.source else reason, width, most=4)
    for other in filled.alternatives[:_ALTERNATIVES]:
        lines += _text(f"or {other.label}{f': {other.why}' if other.why else ''}", width)
    return lines


def _gate(sheet: PlanSheet, name: str, width: int) -> list[Line]:
    result = next((g for g in sheet.gates if g.gate == name), None)
    if result is None:
        return []
    lines = _text(f"{result.gate.value}: {GATE_TITLES[result.gate]}", width, "text")
    if result.why_open:
        lines += _text(f"open: {result.why_open}", width)
    return lines + [line for finding in result.findings for line in finding_lines(finding, width)]


def _cost(cost: CostEstimate, name: str, width: int) -> list[Line]:
    if name == "total":
        return [line for text in cost.not_counted for line in _text(f"not in it: {text}", width)]
    line = next((each for each in cost.lines if each.kind == name), None)
    if line is None:
        return []
    usd = line.usd
    lines = _text("; ".join(filter(None, (f"{line.kind} {line.amount}", line.how))), width, most=4)
    if not cost.is_free:
        lines += _text(f"{money_text(usd.low_usd)} to {money_text(usd.high_usd)}", width)
    return lines


def _text(text: str, width: int, ink: str = "muted", most: int = 2) -> list[Line]:
    return [((" ", "text"), (line, ink)) for line in wrapped(text, width - 2, most=most)]
