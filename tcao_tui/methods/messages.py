"""Turns of our rows as the cookbook's messages, and what of them a renderer leaves out without a word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from tinker_cookbook.renderers import Message, Renderer, ToolCall, ToolSpec

from tcao_tui.data.rows import ChatRow, Conversation
from tcao_tui.data.rows import Message as Turn

_ASK: Turn = {"role": "user", "content": "a"}
_ANSWER: Turn = {"role": "assistant", "content": "b"}
_RESULT: Turn = {"role": "tool", "content": "1", "tool_call_id": "c1"}


def _thought(text: str) -> Turn:
    return {**_ANSWER, "content": [{"type": "thinking", "thinking": text}, {"type": "text", "text": "b"}]}


def _call(name: str, value: str) -> Turn:
    function = {"name": name, "arguments": f'{{"a": {value}}}'}
    return {**_ANSWER, "tool_calls": [{"id": "c1", "type": "function", "function": function}]}


def _messages(conversation: Conversation, *, named_ids: bool) -> list[Message]:
    """Turns as messages; a tool's result gets the name of the function that its id belongs to.

    Args:
        conversation: Turns of a row.
        named_ids: Give calls ids that tell their function, `functions.NAME:NUMBER`, in place of the row's own.
    """
    answered: dict[str, Turn] = {}
    count = 0
    messages: list[Turn] = []
    for turn in conversation:
        calls: list[ToolCall] = []
        for call in turn.get("tool_calls", ()):
            name = call["function"]["name"]
            identity = f"functions.{name}:{count}" if named_ids else call.get("id")
            answered[call.get("id", "")] = {"name": name, "tool_call_id": identity}
            calls.append(ToolCall.model_validate({**call, "id": identity}))
            count += 1
        if calls:
            turn = {**turn, "tool_calls": calls}
        elif turn.get("tool_call_id") in answered:
            turn = {**turn, **answered[turn["tool_call_id"]]}
        messages.append(turn)
    return cast("list[Message]", messages)


class MessageWriter:
    """Messages for one renderer, and what it carries, found out by rendering two conversations that differ in it."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def messages(self, conversation: Conversation, tools: Sequence[dict[str, Any]] = ()) -> list[Message]:
        """A conversation, and the tools that it offers.

        Raises:
            NotImplementedError: This renderer knows no tools.
        """
        has_calls = any("tool_calls" in turn for turn in conversation)
        messages = _messages(conversation, named_ids=has_calls and self._writes_ids_only)
        if not tools:
            return messages
        has_system = conversation[0]["role"] == "system" and isinstance(conversation[0]["content"], str)
        system_prompt: str = conversation[0]["content"] if has_system else ""
        offered = [cast("ToolSpec", tool) for tool in tools]
        return [*self._renderer.create_conversation_prefix_with_tools(offered, system_prompt), *messages[has_system:]]

    def loses_calls(self, row: ChatRow) -> bool:
        """Whether the row has tool calls that would not be written."""
        return any("tool_calls" in turn for turn in row.conversation) and self._drops_calls

    def loses_thinking(self, row: ChatRow) -> bool:
        """Whether the row has thinking in an earlier turn that would not be written, as many chat templates have it."""
        turns = row.conversation
        thoughtful = [at for at, turn in enumerate(turns[:-1]) if _has_thinking(turn)]
        if not thoughtful:
            return False
        last_user = max((at for at, turn in enumerate(turns) if turn["role"] == "user"), default=-1)
        return any(self._drops_past_thinking if at < last_user else self._drops_thinking_of_calls for at in thoughtful)

    @cached_property
    def _drops_calls(self) -> bool:
        return self._same(*([_ASK, _call("f", value)] for value in "12"))

    @cached_property
    def _writes_ids_only(self) -> bool:
        return self._same(*([_ASK, _call(name, "1")] for name in "fg"))

    @cached_property
    def _drops_past_thinking(self) -> bool:
        return self._same(*([_ASK, _thought(text), _ASK, _ANSWER] for text in "xy"))

    @cached_property
    def _drops_thinking_of_calls(self) -> bool:
        return self._same(*([_ASK, {**_call("f", "1"), **_thought(text)}, _RESULT, _ANSWER] for text in "xy"))

    def _same(self, one: Conversation, other: Conversation) -> bool:
        """Whether both are rendered alike. Raises what the renderer does, which a row with this would do as well."""
        first, second = (
            self._renderer.build_supervised_example(_messages(turns, named_ids=False))[0].to_ints()
            for turns in (one, other)
        )
        return first == second


def _has_thinking(turn: Turn) -> bool:
    return isinstance(turn["content"], list) and any(part["type"] == "thinking" for part in turn["content"])
