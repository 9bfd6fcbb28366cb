"""What the model's turn asks for: calls whose arguments are whole, and what is wrong with the others.

The SDK closes JSON that was cut off, so that 1 of an intended 100 looks complete: only what the model wrote itself,
parsed strictly, counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from tcao_tui.clients.llm_port import LlmTurn
from tcao_tui.planner.llm.context import RUNNABLE_STOPS


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A call of a tool; `problem` says why it must not run, "" when it may."""

    call_id: str
    tool: str
    arguments: dict[str, Any]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ReadTurn:
    """A turn as it is kept: blocks to send back, words for the person, calls."""

    content: tuple[dict[str, Any], ...]
    text: str
    calls: tuple[ModelCall, ...]


def read_turn(turn: LlmTurn, used_ids: frozenset[str]) -> ReadTurn:
    """Read a turn.

    Args:
        turn: As the server sent it.
        used_ids: Ids of earlier calls; some servers give one out twice, and each needs a result of its own.
    """
    ids = set(used_ids)
    content: list[dict[str, Any]] = []
    calls: list[ModelCall] = []
    for index, block in enumerate(_storable(turn.content)):
        if block["type"] == "tool_use":
            call = _call(block, turn, index, _unused(str(block.get("id") or "call"), ids))
            ids.add(call.call_id)
            calls.append(call)
            content.append({**block, "id": call.call_id, "input": call.arguments})
        elif block["type"] != "text" or block["text"].strip():
            content.append(block)
    text = "".join(block["text"] for block in content if block["type"] == "text")
    # The API takes no empty turn back, and some servers end one without a word.
    return ReadTurn(tuple(content) or ({"type": "text", "text": "(no words)"},), text.strip(), tuple(calls))


def strict_json(text: str) -> dict[str, Any]:
    """An object, whole, without duplicated keys, without NaN, of real characters. Raises `ValueError`."""
    try:
        value: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair, which no store can keep, is a ValueError
    return cast("dict[str, Any]", value)


def _call(block: dict[str, Any], turn: LlmTurn, index: int, call_id: str) -> ModelCall:
    tool = str(block.get("name", ""))
    written = turn.tool_json.get(index)
    if turn.stop_reason not in RUNNABLE_STOPS:
        return ModelCall(call_id, tool, {}, f"the turn ended with {turn.stop_reason} before it was whole")
    if written is None:
        return ModelCall(call_id, tool, {}, "the call was not closed")
    if not written:  # servers that do not stream arguments send them with the block
        return ModelCall(call_id, tool, block.get("input") or {})
    try:
        return ModelCall(call_id, tool, strict_json(written))
    except ValueError as error:
        return ModelCall(call_id, tool, {}, f"the arguments are not one JSON object: {error}")


def _storable(content: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks without halves of surrogate pairs, which a server may send and no store can keep."""
    return json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))


def _unused(call_id: str, ids: set[str]) -> str:
    return next(candidate for candidate in _candidates(call_id) if candidate not in ids)


def _candidates(call_id: str) -> Iterator[str]:
    yield call_id
    number = 2
    while True:
        yield f"{call_id}-{number}"
        number += 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
