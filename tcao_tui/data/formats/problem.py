"""Problems with an answer to check: `problem` and `answer`, `ground_truth` as in RLVR data, verl's `reward_model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tcao_tui.data.answers import final_answer
from tcao_tui.data.formats.port import INPUT, OUTPUT
from tcao_tui.data.formats.system import with_system
from tcao_tui.data.formats.tools import refuse_tools
from tcao_tui.data.formats.turns import has, looks_like_turns, missing, text_of, turns_of, value_at
from tcao_tui.data.rows import ProblemRow, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind

_PROMPTS = ("problem", "question", "prompt", "messages", "query", INPUT)
_TRUTHS = ("reward_model.ground_truth", "ground_truth", "final_answer", "expected_answer")
_ANSWERS = ("answer", "solution")
_EXACT_FLOATS = 2**53


class Problem:
    """A prompt and what its answer must come to."""

    name: ClassVar[str] = "problem"
    holds: ClassVar[str] = "problems with a checkable answer"
    kinds: ClassVar[tuple[RowKind, ...]] = ("problem",)

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """A prompt, and a column that only problems have; any two columns when this format was asked for."""
        asked = wanted.data_format == self.name
        prompts = (wanted.input_field, *_PROMPTS) if asked or wanted.input_field != INPUT else _PROMPTS
        prompt = next((name for name in prompts if has(row, name)), None)
        if prompt is None:
            return None
        answers = (*_TRUTHS, *_ANSWERS) if asked or _is_named_a_problem(row, prompt) else _TRUTHS
        given = (wanted.output_field,) if asked and wanted.output_field != OUTPUT else ()
        answer = next((name for name in (*given, *answers, *((OUTPUT,) if asked else ())) if has(row, name)), None)
        return None if answer is None else FieldMap(data_format=self.name, input_field=prompt, output_field=answer)

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> ProblemRow:
        """The prompt and the final answer: what a mark or a box holds, else the whole. Raises `RowRejected`."""
        for name in (fields.input_field, fields.output_field):
            if not has(row, name):
                raise missing(row, name, "input_field and output_field")
        refuse_tools(row, "a problem")
        prompt = with_system(row, turns_of(value_at(row, fields.input_field), fields.input_field, "user"))
        if prompt[-1]["role"] == "assistant":
            prompt.pop()
        text = _text(value_at(row, fields.output_field), repr(fields.output_field))
        answer = final_answer(text) or text.strip()
        if not answer or not prompt:
            raise RowRejected(f"{fields.output_field!r} is empty" if prompt else "has no prompt", "complete the row")
        return ProblemRow(prompt, answer)


def _is_named_a_problem(row: Mapping[str, Any], prompt: str) -> bool:
    return prompt == "problem" and not looks_like_turns(row.get("messages"))


def _text(value: object, name: str) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float() if abs(value) >= _EXACT_FLOATS:
            raise RowRejected(f"{name} is a number that JSON readers round", f"write {name} as text")
        case int() | float():
            return str(value)
        case [only]:
            return _text(only, name)
        case _:
            return text_of(value, name)
