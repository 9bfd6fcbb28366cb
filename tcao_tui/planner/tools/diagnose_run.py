"""The tool that explains a run in words."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from pydantic import Field

from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import enveloped
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.run_reports import DIAGNOSIS, not_there_yet


class DiagnoseRun(Tool):
    """Explain a run by fixed rules: its state and since when, how its numbers moved, alerts, losses, scores, budget.

    Each finding has its numbers and what to do. What the run does not have yet is said, not guessed.
    """

    name: ClassVar[str] = "diagnose_run"

    id: str = Field(default="latest", description="Id or name of the run, or latest.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Diagnose. Raises `TcaoError` when there is no such run."""
        report: dict[str, Any] = await asyncio.to_thread(desk.read_run, self.id)
        told: dict[str, Any] = report.get(DIAGNOSIS, {})
        said = {key: told.get(key) for key in ("state", "facts", "next_commands")}
        result: dict[str, Any] = {
            "ok": True,
            "run": enveloped("the state of a run, with its messages", said),
            "findings": enveloped("rules over the record of a run, with its messages", told.get("findings", ())),
            "not_there_yet": not_there_yet(report),
        }
        return ToolOutcome(result)
