"""A system prompt that stands in a column of its own, beside the turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcao_tui.data.formats.turns import text_of
from tcao_tui.data.rows import Conversation, RowRejected


def with_system(row: Mapping[str, Any], conversation: Conversation) -> Conversation:
    """The conversation with the row's system prompt in front, where the row has one.

    Raises:
        RowRejected: It is no text, or the turns begin with another one.
    """
    if "system" not in row and "system_prompt" not in row:
        return conversation
    name = next((name for name in ("system", "system_prompt") if row.get(name)), None)
    if name is None:
        return conversation
    system = text_of(row[name], repr(name))
    if conversation[0]["role"] != "system":
        return [{"role": "system", "content": system}, *conversation]
    if conversation[0]["content"] != system:
        raise RowRejected(f"{name!r} and the first turn are two different system prompts", "keep one of the two")
    return conversation
