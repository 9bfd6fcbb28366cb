"""ShareGPT conversations: `{"conversations": [{"from": "human", "value": ...}, ...]}`, with calls as LLaMA-Factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from tcao_tui.data.formats.system import with_system
from tcao_tui.data.formats.tools import refuse_tools, tools_of
from tcao_tui.data.formats.turns import conversation_of, listed, looks_like_turns, missing
from tcao_tui.data.rows import ChatRow, PromptRow
from tcao_tui.domain.data_profile import FieldMap, RowKind

_COLUMNS = ("conversations", "conversation", "messages")


class ShareGpt:
    """Turns `from` somebody with a `value`; a `function_call` is the assistant's, its value the JSON of the call."""

    name: ClassVar[str] = "sharegpt"
    holds: ClassVar[str] = "conversations"
    kinds: ClassVar[tuple[RowKind, ...]] = ("chat", "prompt")

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """Turns with `from` in the column that was given or under a name in use."""
        names = (wanted.input_field, *_COLUMNS)
        found = next((name for name in names if looks_like_turns(row.get(name), "from")), None)
        return None if found is None else FieldMap(data_format=self.name, input_field=found)

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> ChatRow | PromptRow:
        """The turns. Raises `RowRejected`."""
        if fields.input_field not in row:
            raise missing(row, fields.input_field, "input_field")
        turns = [_with_call(turn) for turn in listed(row[fields.input_field]) or ()]
        conversation = with_system(row, conversation_of(turns, fields.input_field, ("from", "value")))
        if conversation[-1]["role"] != "assistant":
            refuse_tools(row, "a prompt")
            return PromptRow(conversation)
        return ChatRow(conversation, tools_of(row.get("tools")))


def _with_call(turn: object) -> object:
    fields = cast("dict[str, Any]", turn) if isinstance(turn, dict) else {}
    if fields.get("from") != "function_call":
        return turn
    return {"from": "gpt", "value": None, "tool_calls": listed(f"[{fields.get('value')}]") or [None]}
