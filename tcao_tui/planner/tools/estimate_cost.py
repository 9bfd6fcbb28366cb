"""The tool that says what the plan may cost, line by line; an unknown price is unknown, never 0."""

from __future__ import annotations

from typing import Any, ClassVar

from tcao_tui.domain.cost import CostLine
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import cleaned
from tcao_tui.planner.llm.state import cost_json, usd_json
from tcao_tui.planner.port import Interview, Tool, ToolOutcome


class EstimateCost(Tool):
    """Say what the plan may cost in USD: low, expected and high, by kind of work, and what is not counted."""

    name: ClassVar[str] = "estimate_cost"

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Estimate."""
        cost = interview.sheet.cost
        result: dict[str, Any] = {"ok": True, "total_usd": cost_json(interview.sheet)}
        if cost is not None:
            result |= {
                "is_free": cost.is_free,
                "lines": [_line(line) for line in cost.lines],
                "prices": cleaned(cost.price_source),
                "not_counted": list(cost.not_counted),
            }
        return ToolOutcome(result)


def _line(line: CostLine) -> dict[str, Any]:
    return {"kind": line.kind, "tokens": line.tokens, "usd": usd_json(line.usd), "how": cleaned(line.how)}
