"""Prompts alone, as distillation and RL against a preference model need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tcao_tui.data.formats.port import INPUT
from tcao_tui.data.formats.system import with_system
from tcao_tui.data.formats.tools import refuse_tools
from tcao_tui.data.formats.turns import has, missing, turns_of, value_at
from tcao_tui.data.rows import PromptRow, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind

_COLUMNS = ("prompt", "question", "instruction", INPUT, "query", "problem")


class Prompt:
    """One column with the prompt, as text or as turns."""

    name: ClassVar[str] = "prompt"
    holds: ClassVar[str] = "prompts without an answer"
    kinds: ClassVar[tuple[RowKind, ...]] = ("prompt",)

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """The column that was given or one of a name in use."""
        names = _COLUMNS if wanted.input_field == INPUT else (wanted.input_field,)
        found = next((name for name in names if has(row, name)), None)
        return None if found is None else FieldMap(data_format=self.name, input_field=found)

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> PromptRow:
        """The prompt. Raises `RowRejected`."""
        refuse_tools(row, "a prompt")
        if not has(row, fields.input_field):
            raise missing(row, fields.input_field, "input_field")
        prompt = with_system(row, turns_of(value_at(row, fields.input_field), fields.input_field, "user"))
        if prompt[-1]["role"] == "assistant":
            raise RowRejected(f"{fields.input_field!r} ends with the assistant's turn", "set data_format: messages")
        return PromptRow(prompt)
