"""The tool that settles one value."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, JsonValue

from tcao_tui.planner.changes import Change, proposed
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Interview, Tool, ToolOutcome


class SetSlot(Tool):
    """Settle one value of the plan, with the reason. The gates check it; what the person decided is not overridden."""

    name: ClassVar[str] = "set_slot"

    path: str = Field(description="Key of the plan, such as training.lora_rank.")
    value: JsonValue = Field(description="The value, of the key's type.")
    reason: str = Field(min_length=1, description="Why, one sentence: the person's words, or the numbers that decide.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Set it."""
        return proposed(interview, [Change(self.path, self.value, self.reason)])
