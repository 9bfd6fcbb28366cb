"""The tool that looks for leaks: rows that are trained on and measured with."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import enveloped
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.tools.reading import readable


class CompareFiles(Tool):
    """Count the rows of an eval or validation file that also stand in the training file, exactly or nearly."""

    name: ClassVar[str] = "compare_files"

    trained: str = Field(description="File that is trained on.")
    measured: str = Field(description="File that measures.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Compare. Raises `TcaoError` when a file may not or cannot be read."""
        left, right = readable(interview, self.trained), readable(interview, self.measured)
        facts = interview.state.facts
        profiles = facts.profile(left), facts.profile(right)
        left_fields, right_fields = (None if profile is None else profile.fields for profile in profiles)
        overlap = await asyncio.to_thread(desk.overlap, left, right, left_fields=left_fields, right_fields=right_fields)
        result = {
            "ok": True,
            "rows": overlap.right_rows,
            "exact": overlap.exact,
            "near": overlap.near,
            "method": overlap.method,
            "examples": enveloped("rows of both files", overlap.examples),
        }
        return ToolOutcome(result, facts=(overlap,))
