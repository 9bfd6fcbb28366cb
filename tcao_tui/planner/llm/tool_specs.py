"""Tools as the model reads them: the class's docstring, and the schema of its fields."""

from __future__ import annotations

import inspect
from collections.abc import Collection

from tcao_tui.clients.llm_port import ToolSpec
from tcao_tui.planner.port import Tool
from tcao_tui.registry import Registry


def tool_specs(tools: Registry[type[Tool]], *, without: Collection[str] = ()) -> tuple[ToolSpec, ...]:
    """All tools but some, in the registry's order, which stays the same so that the prompt can be cached."""
    return tuple(_spec(name, tools.load(name)) for name in tools.names() if name not in without)


def _spec(name: str, tool: type[Tool]) -> ToolSpec:
    schema = tool.model_json_schema()
    schema.pop("description", None)
    return ToolSpec(name, inspect.cleandoc(tool.__doc__ or ""), schema, strict=tool.strict)
