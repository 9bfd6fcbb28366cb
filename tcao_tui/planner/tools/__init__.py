"""The planner's tools by name; listing them imports nothing."""

from __future__ import annotations

from tcao_tui.planner.port import Tool
from tcao_tui.registry import Registry

TOOLS: Registry[type[Tool]] = Registry(
    "tcao_tui.planner_tools",
    {},
)
