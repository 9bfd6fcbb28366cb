"""The tool that says what stands out in a run."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any, ClassVar

from pydantic import Field

from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import enveloped
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.run_findings import not_there_yet, run_findings


class DiagnoseRun(Tool):
    """Say what stands out in a run, by fixed rules: how it ended, losses that broke or rose, scores, rows cut.

    Each finding has its numbers and what to do. What the run does not have yet is said, not guessed.
    """

    name: ClassVar[str] = "diagnose_run"

    id: str = Field(default="latest", description="Id or name of the run, or latest.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Diagnose. Raises `TcaoError` when there is no such run."""
        report = await asyncio.to_thread(desk.read_run, self.id)
        findings = [asdict(finding) for finding in run_findings(report)]
        result: dict[str, Any] = {
            "ok": True,
            "findings": enveloped("rules over the record of a run, with its messages", findings),
            "not_there_yet": not_there_yet(report),
        }
        return ToolOutcome(result)
