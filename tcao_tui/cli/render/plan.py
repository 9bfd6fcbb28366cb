"""A judged plan as text and as JSON: gates in words and signs, findings with place and fix, the cost as a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.gates import GATE_TITLES
from tcao_tui.domain.plain_text import plain_text
from tcao_tui.domain.wording import count_text, money_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tcao_tui.domain.cost import CostEstimate, CostRange
    from tcao_tui.domain.gates import Finding, GateResult
    from tcao_tui.domain.sheet import PlanSheet

_STATUS = {"pass": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red"), "open": ("?", "magenta")}
_SEVERITY = {"error": "red", "warning": "yellow", "note": None}
_SHOWN = 20
"""Findings of one gate that are printed; JSON has all."""


def sheet_dict(sheet: PlanSheet) -> dict[str, Any]:
    """A judged plan for scripts; `approval_hash` is null until nothing but the approval is missing."""
    return {
        "ready": sheet.is_ready,
        "approval_hash": sheet.approval_hash,
        "gates": [_gate_dict(gate) for gate in sheet.gates],
        "cost": asdict(sheet.cost) if sheet.cost is not None else None,
    }


def gate_lines(gates: Sequence[GateResult], style: Style) -> list[str]:
    """Each gate with its status, and what it found below it."""
    width = max(len(gate.gate) for gate in gates)
    lines: list[str] = []
    for gate in gates:
        sign, colour = _STATUS[gate.status]
        status = style(f"{sign} {gate.status}", colour, bold=gate.status == "fail")
        why = f": {plain_text(gate.why_open)}" if gate.why_open else ""
        lines.append(f"{status}  {gate.gate.ljust(width)}  {style(GATE_TITLES[gate.gate] + why, dim=True)}")
        for finding in gate.findings[:_SHOWN]:
            lines += finding_lines(finding, style)
        if (more := len(gate.findings) - _SHOWN) > 0:
            lines.append(f"        ... and {more} more; --output json lists all")
    return lines


def finding_lines(finding: Finding, style: Style) -> list[str]:
    """One finding: what and where, then what would pass, then what to do."""
    head = style(finding.severity, _SEVERITY[finding.severity])
    lines = [f"        {head}  {style(plain_text(finding.path) or 'plan', bold=True)}: {plain_text(finding.got)}"]
    lines += [f"          at        {plain_text(finding.where)}"] if finding.where else []
    lines.append(f"          expected  {plain_text(finding.expected)}")
    return [*lines, f"          fix       {plain_text(finding.fix)}"] if finding.fix else lines


def cost_lines(cost: CostEstimate) -> list[str]:
    """What a plan may cost, a line per kind of work; an unknown price is `$?`, never 0."""
    if cost.is_free:
        return [f"cost: $0, {plain_text(cost.price_source)}"]
    rows = [
        (line.kind, *_amounts(line.usd), count_text(line.tokens or None), plain_text(line.how)) for line in cost.lines
    ]
    total = ("total", *_amounts(cost.total), count_text(sum(line.tokens for line in cost.lines)), "")
    header = ("COST", "LOW", "EXPECTED", "HIGH", "TOKENS", "HOW")
    lines = [line.rstrip() for line in table(header, [*rows, total], right=frozenset({1, 2, 3, 4}))]
    lines.append(f"prices: {plain_text(cost.price_source)}")
    return [*lines, *(f"not counted: {plain_text(what)}" for what in cost.not_counted)]


def _amounts(usd: CostRange) -> tuple[str, str, str]:
    return money_text(usd.low_usd), money_text(usd.expected_usd), money_text(usd.high_usd)


def _gate_dict(gate: GateResult) -> dict[str, Any]:
    findings = [finding.model_dump(exclude={"gate"}) for finding in gate.findings]
    return {
        "gate": str(gate.gate),
        "title": GATE_TITLES[gate.gate],
        "status": gate.status,
        "why_open": gate.why_open,
        "findings": findings,
    }
