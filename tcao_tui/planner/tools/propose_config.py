"""The tool that settles several values at once."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from tcao_tui.planner.changes import Change, proposed
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Interview, Tool, ToolOutcome


class ConfigChange(BaseModel):
    """One value of the plan, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="Key of the plan, such as training.learning_rate.")
    value: bool | int | float | str | list[str] | None = Field(description="The value, of the key's type.")
    reason: str = Field(min_length=1, description="Why, one sentence with the numbers that decide.")


class ProposeConfig(Tool):
    """Settle several values of the plan that belong together: all of them are taken, or none.

    Only what differs from policy needs to be proposed. The gates check the plan as it would be.
    """

    name: ClassVar[str] = "propose_config"
    strict: ClassVar[bool] = True

    changes: list[ConfigChange] = Field(min_length=1, description="The values.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Set them."""
        return proposed(interview, [Change(one.path, one.value, one.reason) for one in self.changes])
