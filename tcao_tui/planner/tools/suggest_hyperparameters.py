"""The tool that shows the hyperparameters that policy chose, with the rules behind them."""

from __future__ import annotations

from typing import Any, ClassVar

from tcao_tui.domain.draft import Filled
from tcao_tui.domain.method_params import METHOD_PARAMS
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import cleaned
from tcao_tui.planner.port import Interview, Tool, ToolOutcome

_SECTIONS = ("training.", *(f"{method}." for method in METHOD_PARAMS))


class SuggestHyperparameters(Tool):
    """Show every hyperparameter as it stands: value, who decided, the reason with its numbers, source, alternatives."""

    name: ClassVar[str] = "suggest_hyperparameters"

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Show them."""
        values = {
            path: filled_json(filled)
            for path, filled in interview.sheet.draft.items()
            if path.startswith(_SECTIONS) or path == "method"
        }
        return ToolOutcome({"ok": True, "hyperparameters": values})


def filled_json(filled: Filled) -> dict[str, Any]:
    """A value with its origin, for a planner."""
    shown = {"value": cleaned(filled.value), "by": filled.by, "reason": cleaned(filled.reason)}
    if filled.source:
        shown["source"] = cleaned(filled.source)
    if filled.alternatives:
        shown["alternatives"] = cleaned([one.model_dump() for one in filled.alternatives])
    return shown
