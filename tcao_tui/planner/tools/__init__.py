"""The planner's tools by name; listing them imports nothing. None of them approves or launches."""

from __future__ import annotations

from tcao_tui.planner.port import Tool
from tcao_tui.registry import Registry

_AT = "tcao_tui.planner.tools."
TOOLS: Registry[type[Tool]] = Registry(
    "tcao_tui.planner_tools",
    {
        "inspect_data": f"{_AT}inspect_data:InspectData",
        "list_models": f"{_AT}list_models:ListModels",
        "split_data": f"{_AT}split_data:SplitData",
        "compare_files": f"{_AT}compare_files:CompareFiles",
        "preview_row": f"{_AT}preview_row:PreviewRow",
        "check_plan": f"{_AT}check_plan:CheckPlan",
    },
)
