"""Rows of a whole conversation: `{"messages": [{"role": ..., "content": ...}, ...]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from tcao_tui.data.formats.port import Conversation, FieldNames, Message, RowRejected, text_of

ROLES = ("system", "user", "assistant", "tool")

_MEANINGFUL = ("tool_calls", "function_call", "trainable", "weight", "thinking", "reasoning_content")
"""Keys that would change what is trained and that we do not carry: a row with one is refused, never cut."""


class Messages:
    """Turns of any of the roles, contents as text."""

    name: ClassVar[str] = "messages"

    def matches(self, row: Mapping[str, Any], fields: FieldNames) -> bool:
        """There is a field `messages`."""
        return "messages" in row

    def read(self, row: Mapping[str, Any], fields: FieldNames) -> Conversation:
        """The turns. Raises `RowRejected`."""
        messages = row.get("messages")
        if not isinstance(messages, list) or not messages:
            raise RowRejected("'messages' is not a list of turns", 'write [{"role": ..., "content": ...}, ...]')
        turns = cast("list[object]", messages)
        return [self._turn(turn, f"messages[{index}]") for index, turn in enumerate(turns)]

    @staticmethod
    def _turn(turn: object, place: str) -> Message:
        if not isinstance(turn, dict):
            raise RowRejected(f"{place} is not an object", 'write {"role": ..., "content": ...}')
        fields = cast("dict[str, Any]", turn)
        for key in _MEANINGFUL:
            if fields.get(key) is not None:
                raise RowRejected(f"{place} has {key!r}, which is not supported here", f"remove {key!r} or the row")
        role = text_of(fields.get("role"), f"{place}.role")
        if role not in ROLES:
            raise RowRejected(f"{place}.role is {role!r}", f"use one of {', '.join(ROLES)}")
        return {"role": role, "content": text_of(fields.get("content"), f"{place}.content")}
