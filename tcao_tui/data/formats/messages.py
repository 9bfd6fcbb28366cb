"""Rows of a whole conversation: `{"messages": [{"role": ..., "content": ...}, ...], "tools": [...]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tcao_tui.data.formats.system import with_system
from tcao_tui.data.formats.tools import refuse_tools, tools_of
from tcao_tui.data.formats.turns import conversation_of, looks_like_turns, missing
from tcao_tui.data.rows import ChatRow, PromptRow
from tcao_tui.domain.data_profile import FieldMap, RowKind

_COLUMNS = ("messages", "conversation", "conversations", "dialogue")


class Messages:
    """Turns of any of the roles with tools, calls and thinking; without an answer at the end, a prompt."""

    name: ClassVar[str] = "messages"
    holds: ClassVar[str] = "conversations"
    kinds: ClassVar[tuple[RowKind, ...]] = ("chat", "prompt")

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """A column `messages`, or turns with roles in the column that was given or under another name in use."""
        found = next((name for name in (wanted.input_field, *_COLUMNS) if looks_like_turns(row.get(name))), None)
        if found is None and "messages" in row:
            found = "messages"
        return None if found is None else FieldMap(data_format=self.name, input_field=found)

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> ChatRow | PromptRow:
        """The turns. Raises `RowRejected`."""
        if fields.input_field not in row:
            raise missing(row, fields.input_field, "input_field")
        conversation = with_system(row, conversation_of(row[fields.input_field], fields.input_field))
        if conversation[-1]["role"] != "assistant":
            refuse_tools(row, "a prompt")
            return PromptRow(conversation)
        return ChatRow(conversation, tools_of(row.get("tools") or row.get("functions")))
