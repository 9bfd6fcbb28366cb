"""The tool that finds the code of a grader or an environment, so that an approval can be bound to it."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from pydantic import Field

from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.services.user_code import code_hash


class InspectCode(Tool):
    """Find the Python module of a grader `python:module:function` or of rl.environment; it is hashed, never run."""

    name: ClassVar[str] = "inspect_code"

    module: str = Field(description="Module as the plan names it, without the function.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Find it. Raises `TcaoError` when a worker started from here could not import it."""
        found = await asyncio.to_thread(code_hash, self.module)
        result: dict[str, Any] = {"ok": True, "module": found.module, "sha256": found.sha256}
        return ToolOutcome(result, facts=(found,))
