"""The tool that reads a run."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import enveloped
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.run_reports import DIAGNOSIS, not_there_yet

SOURCE = "the record of a run, with names, samples and messages of others"


class ReadRun(Tool):
    """Read a run of this console: status, losses in nats per token, scores, checkpoints, cost, and how it ended."""

    name: ClassVar[str] = "read_run"

    id: str = Field(default="latest", description="Id or name of the run, or latest.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Read it. Raises `TcaoError` when there is no such run."""
        report = await asyncio.to_thread(desk.read_run, self.id)
        told = {key: value for key, value in report.items() if key != DIAGNOSIS}
        return ToolOutcome({"ok": True, "not_there_yet": not_there_yet(report), "run": enveloped(SOURCE, told)})
