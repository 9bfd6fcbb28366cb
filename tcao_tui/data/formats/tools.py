"""Tools and calls of them: OpenAI's spelling and its usual variants, checked and brought into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import orjson

from tcao_tui.data.rows import Message, RowRejected

_CALL = '{"id": ..., "type": "function", "function": {"name": ..., "arguments": "{...}"}}'
_TOOL = '{"type": "function", "function": {"name": ..., "description": ..., "parameters": {...}}}'


def tool_calls_of(turn: dict[str, Any], place: str) -> list[Message]:
    """The calls of a turn, with arguments as JSON text; none without the key.

    Raises:
        RowRejected: They are malformed: no name, arguments that are no JSON object, an id twice.
    """
    calls = turn.get("tool_calls")
    if not calls and turn.get("function_call"):
        calls = [{"function": turn["function_call"]}]
    if not calls:
        return []
    if not isinstance(calls, list):
        raise RowRejected(f"{place}.tool_calls is not a list", f"write [{_CALL}]")
    items = cast("list[object]", calls)
    found = [_call(call, f"{place}.tool_calls[{index}]") for index, call in enumerate(items)]
    ids = [call["id"] for call in found if "id" in call]
    if len(set(ids)) != len(ids):
        raise RowRejected(f"{place}.tool_calls has an id twice", "give each call its own id")
    return found


def _call(call: object, place: str) -> Message:
    fields = cast("dict[str, Any]", call) if isinstance(call, dict) else {}
    function = fields.get("function", fields)
    name = cast("dict[str, Any]", function).get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not name:
        raise RowRejected(f"{place} names no function", f"write {_CALL}")
    body: Message = {"name": name, "arguments": _arguments(cast("dict[str, Any]", function), place)}
    identity = fields.get("id")
    if identity is not None and not isinstance(identity, str):
        raise RowRejected(f"{place}.id is a {type(identity).__name__}, not text", "make it a string")
    return {"type": "function", "function": body} | ({} if identity is None else {"id": identity})


def _arguments(function: dict[str, Any], place: str) -> str:
    arguments = function.get("arguments", {})
    if isinstance(arguments, dict):
        return orjson.dumps(arguments).decode()
    try:
        decoded = orjson.loads(arguments) if isinstance(arguments, str) else None
    except orjson.JSONDecodeError:
        decoded = None
    if not isinstance(decoded, dict):
        raise RowRejected(f"{place}: the arguments are not a JSON object", 'write "arguments": "{...}" as valid JSON')
    return cast("str", arguments)


def tools_of(value: object, name: str = "tools") -> tuple[dict[str, Any], ...]:
    """Tools that a row offers, as `{"name", "description", "parameters"}`; none for None.

    Args:
        value: A list, or JSON text of one, of tools in OpenAI's form or as bare functions.
        name: The column, for messages.

    Raises:
        RowRejected: It is something else.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value) if value.strip() else None
        except orjson.JSONDecodeError:
            raise RowRejected(f"{name!r} is text that is no JSON", f"write [{_TOOL}]") from None
    if not value:
        return ()
    if not isinstance(value, list):
        raise RowRejected(f"{name!r} is not a list of tools", f"write [{_TOOL}]")
    return tuple(_tool(tool, f"{name}[{index}]") for index, tool in enumerate(cast("list[object]", value)))


def refuse_tools(row: Mapping[str, Any], carrier: str) -> None:
    """Raises `RowRejected` when a row offers tools that would be lost on `carrier`, such as "a prompt"."""
    if "tools" in row and tools_of(row["tools"]):
        raise RowRejected(f"offers tools, which {carrier} does not carry here", "remove 'tools' or the row")


def _tool(tool: object, place: str) -> dict[str, Any]:
    fields = cast("dict[str, Any]", tool) if isinstance(tool, dict) else {}
    function = fields.get("function", fields)
    body = cast("dict[str, Any]", function) if isinstance(function, dict) else {}
    parameters = body.get("parameters") or {"type": "object", "properties": {}}
    if not isinstance(body.get("name"), str) or not isinstance(parameters, dict):
        raise RowRejected(f"{place} is no description of a function", f"write {_TOOL}")
    return {"name": body["name"], "description": str(body.get("description") or ""), "parameters": parameters}
