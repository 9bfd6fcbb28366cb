"""What Anthropic's API refuses with 400, as far as a planner can get it wrong: the stub is as strict as the real one.

Results follow calls one to one and come first, roles alternate, no text is empty, and thinking comes back only after
exactly what was sent when it was thought (preserved thinking: system, tools and earlier messages are its prefix).
"""

from __future__ import annotations

import json
from typing import Any


class ApiRules:
    """Judges requests; remembers under which prefix each thinking block was made."""

    def __init__(self) -> None:
        self._prefixes: dict[str, str] = {}

    def made(self, signature: str, body: dict[str, Any]) -> None:
        """A thinking block is the answer to this request."""
        self._prefixes[signature] = _prefix(body, body["messages"])

    def problems(self, body: dict[str, Any]) -> list[str]:
        """Why the API would refuse a request."""
        messages = body["messages"]
        found = [f"messages.{i}: roles must alternate" for i, m in enumerate(messages) if m["role"] != _role(i)]
        found += ["the last message must be the user's"] if messages[-1]["role"] != "user" else []
        for place, message in enumerate(messages):
            found += _block_problems(place, message)
            if message["role"] == "assistant":
                found += _result_problems(place, message, messages[place + 1] if place + 1 < len(messages) else None)
                found += self._thinking_problems(place, message, body)
        names = [tool["name"] for tool in body.get("tools", ())]
        return found + (["tools: names must be unique"] if len(set(names)) < len(names) else [])

    def _thinking_problems(self, place: int, message: dict[str, Any], body: dict[str, Any]) -> list[str]:
        signatures = [block["signature"] for block in message["content"] if block["type"] == "thinking"]
        now = _prefix(body, body["messages"][:place])
        return [
            f"messages.{place}: Invalid `signature` in `thinking` block: bound to a different conversation"
            for signature in signatures
            if self._prefixes.get(signature) != now
        ]


def _role(place: int) -> str:
    return "user" if place % 2 == 0 else "assistant"


def _block_problems(place: int, message: dict[str, Any]) -> list[str]:
    content = message["content"]
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    found = [] if content else [f"messages.{place}: content must not be empty"]
    for block in content:
        if block["type"] == "text" and not block["text"].strip():
            found.append(f"messages.{place}: text content blocks must contain non-whitespace text")
        if block["type"] == "tool_use" and not isinstance(block["input"], dict):
            found.append(f"messages.{place}: tool_use.input must be an object")
    return found


def _result_problems(place: int, message: dict[str, Any], answer: dict[str, Any] | None) -> list[str]:
    called = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
    if not called:
        return []
    if len(set(called)) < len(called):
        return [f"messages.{place}: tool_use ids must be unique"]
    blocks = [] if answer is None else answer["content"]
    first = [block.get("tool_use_id") for block in blocks[: len(called)]]
    if sorted(map(str, first)) != sorted(called) or any(b["type"] == "tool_result" for b in blocks[len(called) :]):
        return [f"messages.{place}: tool_use ids were found without tool_result blocks immediately after"]
    return []


def _prefix(body: dict[str, Any], messages: list[dict[str, Any]]) -> str:
    parts = [body.get("system"), body.get("tools"), messages]
    return json.dumps(_without_cache_marks(parts), sort_keys=True)


def _without_cache_marks(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_cache_marks(one) for key, one in value.items() if key != "cache_control"}
        case list():
            return [_without_cache_marks(one) for one in value]
        case _:
            return value
