"""The tool that judges the plan as it stands: the same gates as `tcao check`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from tcao_tui.domain.gates import GateResult
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import cleaned, enveloped
from tcao_tui.planner.port import Interview, Tool, ToolOutcome


class CheckPlan(Tool):
    """Check the plan by all gates: what is missing or wrong, each with its fix, and what it may cost.

    A plan that is ready waits for the person: only they can approve it.
    """

    name: ClassVar[str] = "check_plan"

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Check."""
        return ToolOutcome({"ok": True, **sheet_json(interview.sheet)})


def sheet_json(sheet: PlanSheet) -> dict[str, Any]:
    """A sheet for a planner."""
    values = {path: {"value": filled.value, "by": filled.by} for path, filled in sheet.draft.items()}
    return {
        "is_ready": sheet.is_ready,
        "gates": [_gate_json(gate) for gate in sheet.gates],
        "cost_usd": None if sheet.cost is None else asdict(sheet.cost.total),
        "is_free": sheet.cost is not None and sheet.cost.is_free,
        "values": enveloped("the plan, with names of files and models", _groups(values)),
    }


def _gate_json(gate: GateResult) -> dict[str, Any]:
    findings = [finding.model_dump(mode="json", exclude={"gate"}) for finding in gate.findings]
    return {"gate": str(gate.gate), "status": gate.status, "why_open": gate.why_open, "findings": cleaned(findings)}


def _groups(values: dict[str, Any]) -> dict[str, Any]:
    """Values by section, so that none is cut from a long list."""
    groups: dict[str, Any] = {}
    for path, value in values.items():
        section, _, key = path.rpartition(".")
        groups.setdefault(section or "plan", {})[key] = value
    return groups
