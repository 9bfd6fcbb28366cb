"""Rows of a prompt and its answer: `{"input": ..., "output": ...}`, under any two field names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tcao_tui.data.formats.port import Conversation, FieldNames, RowRejected, text_of


class InputOutput:
    """One user turn and one assistant turn."""

    name: ClassVar[str] = "input_output"

    def matches(self, row: Mapping[str, Any], fields: FieldNames) -> bool:
        """Both fields are there."""
        return fields.input_field in row and fields.output_field in row

    def read(self, row: Mapping[str, Any], fields: FieldNames) -> Conversation:
        """The two turns. Raises `RowRejected`."""
        for name in (fields.input_field, fields.output_field):
            if name not in row:
                keys = ", ".join(repr(key) for key in list(row)[:8]) or "none"
                raise RowRejected(
                    f"no field {name!r}; the row has: {keys}", "add it, or set input_field and output_field"
                )
        return [
            {"role": "user", "content": text_of(row[fields.input_field], repr(fields.input_field))},
            {"role": "assistant", "content": text_of(row[fields.output_field], repr(fields.output_field))},
        ]
