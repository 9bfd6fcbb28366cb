"""An answer marked as good or bad (KTO): not to be imitated unseen, so only its prompt is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tcao_tui.data.formats.tools import refuse_tools
from tcao_tui.data.formats.turns import turns_of
from tcao_tui.data.rows import PromptRow
from tcao_tui.domain.data_profile import FieldMap, RowKind


class MarkedAnswer:
    """A prompt, a completion, and a label that is true or false."""

    name: ClassVar[str] = "marked_answer"
    holds: ClassVar[str] = "answers marked as good or bad"
    kinds: ClassVar[tuple[RowKind, ...]] = ("prompt",)

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """There is a label of the kind."""
        if "prompt" in row and "completion" in row and isinstance(row.get("label"), bool):
            return FieldMap(data_format=self.name, input_field="prompt", output_field="completion")
        return None

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> PromptRow:
        """The prompt. Raises `RowRejected`."""
        refuse_tools(row, "a prompt")
        return PromptRow(turns_of(row.get(fields.input_field), fields.input_field, "user"))
