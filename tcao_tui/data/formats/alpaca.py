"""Instructions as in Alpaca and Dolly: `instruction`, what it is about, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tcao_tui.data.formats.port import OUTPUT
from tcao_tui.data.formats.system import with_system
from tcao_tui.data.formats.tools import tools_of
from tcao_tui.data.formats.turns import missing, text_of
from tcao_tui.data.rows import ChatRow, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind

_ANSWERS = (OUTPUT, "response", "completion")
_SUBJECTS = ("input", "context")


class Alpaca:
    """One user turn, the instruction and below it what it is about, and one assistant turn."""

    name: ClassVar[str] = "alpaca"
    holds: ClassVar[str] = "instructions with their answers"
    kinds: ClassVar[tuple[RowKind, ...]] = ("chat",)

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """An instruction and an answer."""
        answer = next((name for name in (wanted.output_field, *_ANSWERS) if name in row), None)
        if "instruction" not in row or answer is None:
            return None
        return FieldMap(data_format=self.name, input_field="instruction", output_field=answer)

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> ChatRow:
        """The two turns. Raises `RowRejected`."""
        for name in (fields.input_field, fields.output_field):
            if name not in row:
                raise missing(row, name, "input_field and output_field")
        if row.get("history"):
            raise RowRejected("has a 'history', which is not supported here", "write the row as messages")
        parts = [text_of(row[fields.input_field], repr(fields.input_field))]
        parts.extend(text_of(row[name], repr(name)) for name in _SUBJECTS if row.get(name))
        answer = text_of(row[fields.output_field], repr(fields.output_field))
        conversation = [{"role": "user", "content": "\n\n".join(parts)}, {"role": "assistant", "content": answer}]
        return ChatRow(with_system(row, conversation), tools_of(row.get("tools")))
