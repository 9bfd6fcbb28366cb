"""What the answers of a file have in common: a label out of few, a number, JSON, or a checkable number at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import orjson

from tcao_tui.data.answers import final_answer
from tcao_tui.data.duplicates import text_key
from tcao_tui.data.row_text import normalised
from tcao_tui.domain.data_profile import AnswerShape

COUNTED = 1_000
"""Distinct answers are counted up to this many."""

_LABELS = 100
_ROWS_PER_LABEL = 3
_LABEL_CHARACTERS = 60
_NUMBER = re.compile(r"\s*[-+]?[$€£]?\s*(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?\s*%?\.?\s*")
_TAIL = 200


class AnswerCounter:
    """Distinct answers, and the shapes that every answer so far has had."""

    def __init__(self) -> None:
        self._keys: set[int] = set()
        self._rows = 0
        self._longest = 0
        self._left: dict[AnswerShape, Callable[[str], bool]] = {
            "json": _is_json,
            "number": _is_number,
            "final_number": _ends_with_number,
        }

    @property
    def distinct(self) -> int:
        """Distinct answers, case and white space aside, up to `COUNTED`."""
        return len(self._keys)

    def add(self, answers: Sequence[str]) -> None:
        """Take in the next answers."""
        self._rows += len(answers)
        self._longest = max(self._longest, *map(len, answers), 0)
        self._left = {shape: fits for shape, fits in self._left.items() if all(map(fits, answers))}
        for answer in answers:
            if len(self._keys) == COUNTED:
                return
            self._keys.add(text_key(normalised(answer)))

    def shape(self) -> AnswerShape:
        """What all answers are."""
        if not self._rows:
            return "text"
        if "json" in self._left:
            return "json"
        enough_rows = self._rows >= _ROWS_PER_LABEL * len(self._keys)
        if 1 < len(self._keys) <= _LABELS and enough_rows and self._longest <= _LABEL_CHARACTERS:
            return "label"
        for shape in self._left:
            return shape
        return "text"


def _is_json(answer: str) -> bool:
    if answer.lstrip()[:1] not in ("{", "["):
        return False
    try:
        orjson.loads(answer)
    except ValueError:
        return False
    return True


def _is_number(answer: str) -> bool:
    return bool(_NUMBER.fullmatch(answer)) and any(map(str.isdigit, answer))


def _ends_with_number(answer: str) -> bool:
    return _is_number(final_answer(answer[-_TAIL:]) or "")
