"""Rows of a prompt and its answer: `{"input": ..., "output": ...}`, under any two column names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tcao_tui.data.formats.port import INPUT, OUTPUT
from tcao_tui.data.formats.system import with_system
from tcao_tui.data.formats.tools import tools_of
from tcao_tui.data.formats.turns import has, missing, turns_of, value_at
from tcao_tui.data.rows import ChatRow, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind

_COLUMNS = (
    (INPUT, OUTPUT),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("question", "response"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("prompt", "output"),
    ("prompt", "answer"),
    ("input", "target"),
    ("inputs", "targets"),
    ("text", "label"),
)
"""Names in use, in the order in which they are tried."""


class InputOutput:
    """A prompt and an answer, as text or as turns."""

    name: ClassVar[str] = "input_output"
    holds: ClassVar[str] = "prompts with their answers"
    kinds: ClassVar[tuple[RowKind, ...]] = ("chat",)

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """The names that were given, else names in use; one that was given goes with any of those for the other."""
        given = (wanted.input_field, wanted.output_field)
        pairs = [given, *_COLUMNS]
        if given[0] != INPUT:
            pairs += [(given[0], output) for _, output in _COLUMNS]
        if given[1] != OUTPUT:
            pairs += [(prompt, given[1]) for prompt, _ in _COLUMNS]
        for pair in pairs:
            agrees = given[0] in (pair[0], INPUT) and given[1] in (pair[1], OUTPUT)
            if agrees and all(has(row, name) for name in pair):
                return FieldMap(data_format=self.name, input_field=pair[0], output_field=pair[1])
        return None

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> ChatRow:
        """The turns of both columns. Raises `RowRejected`."""
        prompt, answer = value_at(row, fields.input_field), value_at(row, fields.output_field)
        if prompt is None or answer is None:
            name = fields.input_field if prompt is None else fields.output_field
            raise missing(row, name, "input_field and output_field")
        conversation = turns_of(prompt, fields.input_field, "user")
        conversation += turns_of(answer, fields.output_field, "assistant")
        if conversation[-1]["role"] != "assistant":
            raise RowRejected(f"{fields.output_field!r} does not end with the assistant's turn", "correct the roles")
        return ChatRow(with_system(row, conversation), tools_of(row["tools"]) if "tools" in row else ())
