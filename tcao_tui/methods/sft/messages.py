"""Turns of our rows as the cookbook's messages: tool calls as its objects, offered tools as the renderer has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from tinker_cookbook.renderers import Message, Renderer, ToolCall, ToolSpec

from tcao_tui.data.rows import Conversation
from tcao_tui.data.rows import Message as Turn


def messages_of(conversation: Conversation, tools: Sequence[dict[str, Any]], renderer: Renderer) -> list[Message]:
    """A conversation, and the tools that it offers, for `renderer`.

    Raises:
        NotImplementedError: This renderer knows no tools.
    """
    if not tools:
        return [_message(turn) for turn in conversation]
    has_system = conversation[0]["role"] == "system" and isinstance(conversation[0]["content"], str)
    system_prompt: str = conversation[0]["content"] if has_system else ""
    prefix = renderer.create_conversation_prefix_with_tools([cast("ToolSpec", tool) for tool in tools], system_prompt)
    return [*prefix, *(_message(turn) for turn in conversation[has_system:])]


def _message(turn: Turn) -> Message:
    calls = turn.get("tool_calls")
    if not calls:
        return cast("Message", turn)
    return cast("Message", {**turn, "tool_calls": [ToolCall.model_validate(call) for call in calls]})
