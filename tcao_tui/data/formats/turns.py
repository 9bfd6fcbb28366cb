"""Turns of a conversation out of a row: checked, with roles of one spelling, and nothing of meaning left out.

A turn keeps `role` and `content`; an assistant's may hold `tool_calls` and, as content parts, thinking; a tool's
`tool_call_id` and `name`. What else would change what is trained, such as images, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

from tcao_tui.data.formats.tools import tool_calls_of
from tcao_tui.data.rows import Conversation, Message, RowRejected

ROLES = ("system", "user", "assistant", "tool")

_ROLES = {role: role for role in ROLES} | {
    "developer": "system",
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "function": "tool",
    "observation": "tool",
}
_THINKING = ("thinking", "reasoning_content", "reasoning")
_NOT_CARRIED = ("audio", "images", "image", "refusal")


def text_of(value: object, name: str) -> str:
    """`value` as text that can be encoded.

    Raises:
        RowRejected: It is not a string, or holds half of a surrogate pair.
    """
    if not isinstance(value, str):
        kind = "missing" if value is None else f"a {type(value).__name__}"
        raise RowRejected(f"{name} is {kind}, not text", f"make {name} a string")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise RowRejected(
                f"{name} holds half of a surrogate pair", "write the whole character, or remove the \\ud8xx escape"
            ) from None
    return value


def value_at(row: Mapping[str, Any], name: str) -> object:
    """The column `name`, or what a dotted name such as `reward_model.ground_truth` leads to; None without it."""
    if name in row or "." not in name:
        return row.get(name)
    value: object = row
    for key in name.split("."):
        value = cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None
    return value


def has(row: Mapping[str, Any], name: str) -> bool:
    """Whether the row has this column."""
    return name in row or value_at(row, name) is not None


def missing(row: Mapping[str, Any], name: str, setting: str) -> RowRejected:
    """The error of a row that lacks a column."""
    if name in row:
        return RowRejected(f"{name!r} is missing, not text", f"make {name!r} a string")
    keys = ", ".join(repr(key) for key in list(row)[:8]) or "none"
    return RowRejected(f"no field {name!r}; the row has: {keys}", f"add it, or set {setting}")


def turns_of(value: object, name: str, role: str) -> Conversation:
    """A column that holds either text, which is one turn of `role`, or turns.

    Raises:
        RowRejected: It is neither.
    """
    if isinstance(value, str) and value.isascii() and not value.startswith("[{"):
        return [{"role": role, "content": value}]
    if isinstance(value, list) or looks_like_turns(value):
        return conversation_of(value, name)
    return [{"role": role, "content": text_of(value, repr(name))}]


def looks_like_turns(value: object, key: str = "role") -> bool:
    """Whether a column holds turns, as a list or, in CSV, as JSON text."""
    if isinstance(value, str):
        return value.startswith("[{") and f'"{key}"' in value[:200]
    if not isinstance(value, list) or not value:
        return False
    first = cast("list[object]", value)[0]
    return isinstance(first, dict) and key in first


def conversation_of(value: object, name: str, keys: tuple[str, str] = ("role", "content")) -> Conversation:
    """A list of turns.

    Args:
        value: The list, or JSON text of it.
        name: The column, for messages.
        keys: Names of role and content in a turn.

    Raises:
        RowRejected: It is no list of turns, or one of them is bad.
    """
    turns = listed(value)
    if not turns:
        raise RowRejected(f"{name!r} is not a list of turns", f'write [{{"{keys[0]}": ..., "{keys[1]}": ...}}, ...]')
    conversation = [_turn(turn, f"{name}[{index}]", keys) for index, turn in enumerate(turns)]
    _check_answers(conversation, name)
    return conversation


def listed(value: object) -> Sequence[object] | None:
    """`value` as a list, out of JSON text if need be; None when it is none."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    return cast("list[object]", value) if isinstance(value, list) else None


def _turn(turn: object, place: str, keys: tuple[str, str]) -> Message:
    role_key, content_key = keys
    if not isinstance(turn, dict):
        raise RowRejected(f"{place} is not an object", f'write {{"{role_key}": ..., "{content_key}": ...}}')
    fields = cast("dict[str, Any]", turn)
    given = text_of(fields.get(role_key), f"{place}.{role_key}")
    role = _ROLES.get(given)
    if role is None:
        raise RowRejected(f"{place}.{role_key} is {given!r}", f"use one of {', '.join(ROLES)}")
    content = fields.get(content_key)
    if len(fields) == 2 and isinstance(content, str):
        return {"role": role, "content": text_of(content, f"{place}.{content_key}")}
    return _full_turn(role, content, fields, place, content_key)


def _full_turn(role: str, content: object, fields: dict[str, Any], place: str, content_key: str) -> Message:
    _refuse_what_is_not_carried(fields, place)
    calls = tool_calls_of(fields, place)
    thinking = next((fields[key] for key in _THINKING if fields.get(key)), None)
    if (calls or thinking is not None) and role != "assistant":
        raise RowRejected(f"{place} is a turn of {role!r} with tool calls or thinking", "only the assistant has these")
    content = "" if content is None and calls else content
    message: Message = {"role": role, "content": _content(content, thinking, f"{place}.{content_key}", place)}
    if calls:
        message["tool_calls"] = calls
    if role == "tool":
        message |= {
            key: text_of(fields[key], f"{place}.{key}")
            for key in ("tool_call_id", "name")
            if fields.get(key) is not None
        }
    return message


def _refuse_what_is_not_carried(fields: dict[str, Any], place: str) -> None:
    for key in _NOT_CARRIED:
        if fields.get(key):
            raise RowRejected(f"{place} has {key!r}, which is not supported here", f"remove {key!r} or the row")
    for key in ("trainable", "weight"):
        if fields.get(key) not in (None, True, 1):
            raise RowRejected(
                f"{place} is marked as not trained ({key!r}), which is not supported here",
                f"remove {key!r}; which turns are trained is train_on_what",
            )


def _content(content: object, thinking: object, name: str, place: str) -> str | list[Message]:
    if thinking is None and not isinstance(content, list):
        return text_of(content, name)
    parts: list[Message] = []
    if thinking is not None:
        parts.append({"type": "thinking", "thinking": text_of(thinking, f"{place}: its thinking")})
    if isinstance(content, list):
        items = cast("list[object]", content)
        parts.extend(_part(part, f"{name}[{index}]") for index, part in enumerate(items))
    else:
        parts.append({"type": "text", "text": text_of(content, name)})
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _part(part: object, place: str) -> Message:
    fields = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
    match fields.get("type"):
        case "text":
            return {"type": "text", "text": text_of(fields.get("text"), f"{place}.text")}
        case "thinking" | "reasoning" as kind:
            return {"type": "thinking", "thinking": text_of(fields.get(kind), f"{place}.{kind}")}
        case _:
            kind = fields.get("type") or type(part).__name__
            raise RowRejected(f"{place} is a {kind}, which is not supported here", "keep only text and thinking parts")


def _check_answers(conversation: Conversation, name: str) -> None:
    asked: set[str] = set()
    for index, message in enumerate(conversation):
        asked.update(call["id"] for call in message.get("tool_calls", ()) if "id" in call)
        answered = message.get("tool_call_id")
        if answered is not None and answered not in asked:
            raise RowRejected(
                f"{name}[{index}].tool_call_id {answered!r} answers no earlier call",
                "give the assistant's call the same id",
            )
