"""Several scored answers to one prompt, as in UltraFeedback: the best and the worst of them make a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from tcao_tui.data.formats.system import with_system
from tcao_tui.data.formats.tools import refuse_tools
from tcao_tui.data.formats.turns import listed, missing, turns_of, value_at
from tcao_tui.data.rows import PreferenceRow, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind

_PROMPTS = ("prompt", "instruction", "question", "input")
_ANSWERS = ("completions", "responses", "answers")
_TEXTS = ("response", "completion", "text", "content", "output")
_SCORES = ("score", "overall_score", "rating", "reward")
_SCORE_COLUMNS = ("scores", "ratings", "rewards")


class ScoredCompletions:
    """A prompt and a list of answers, with the scores in them or in a list of their own."""

    name: ClassVar[str] = "scored_completions"
    holds: ClassVar[str] = "scored answers, which make preference pairs"
    kinds: ClassVar[tuple[RowKind, ...]] = ("preference",)

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """A prompt and a list of answers."""
        prompt = next((name for name in (wanted.input_field, *_PROMPTS) if name in row), None)
        answers = next((name for name in (wanted.output_field, *_ANSWERS) if isinstance(row.get(name), list)), None)
        if prompt is None or answers is None or not _has_scores(row, cast("list[object]", row[answers])):
            return None
        return FieldMap(data_format=self.name, input_field=prompt, output_field=answers)

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> PreferenceRow:
        """The best and the worst answer. Raises `RowRejected`, also when all have the same score."""
        refuse_tools(row, "a pair")
        answers = listed(row.get(fields.output_field))
        if answers is None or len(answers) < 2:
            raise RowRejected(f"{fields.output_field!r} is not a list of two or more answers", "remove the row")
        if fields.input_field not in row:
            raise missing(row, fields.input_field, "input_field")
        prompt = with_system(row, turns_of(value_at(row, fields.input_field), fields.input_field, "user"))
        scores = _scores(row, answers, fields.output_field)
        best, worst = scores.index(max(scores)), scores.index(min(scores))
        if scores[best] == scores[worst]:
            raise RowRejected("all answers have the same score, so none is better", "remove the row")
        pair = (_text(answers[best]), _text(answers[worst]))
        return PreferenceRow(prompt, *(turns_of(text, fields.output_field, "assistant") for text in pair))


def _has_scores(row: Mapping[str, Any], answers: list[object]) -> bool:
    return any(name in row for name in _SCORE_COLUMNS) or any(_first(answer, _SCORES) is not None for answer in answers)


def _first(answer: object, names: tuple[str, ...]) -> object:
    fields = cast("dict[str, object]", answer) if isinstance(answer, dict) else {}
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _text(answer: object) -> object:
    return answer if isinstance(answer, str | list) else _first(answer, _TEXTS)


def _scores(row: Mapping[str, Any], answers: object, name: str) -> list[float]:
    items = cast("list[object]", answers)
    column = next((name for name in _SCORE_COLUMNS if name in row), None)
    values = listed(row[column]) if column else [_first(answer, _SCORES) for answer in items]
    if values is None or len(values) != len(items):
        raise RowRejected(f"{column!r} has not one score for each of {name!r}", "complete it, or remove the row")
    scores: list[float] = []
    for index, value in enumerate(values):
        try:
            scores.append(float(cast("str", value)))
        except (TypeError, ValueError):
            raise RowRejected(f"{name}[{index}] has the score {value!r}, no number", "score it, or remove it") from None
    return scores
