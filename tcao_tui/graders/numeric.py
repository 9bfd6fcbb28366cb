r"""Right means the same final number, however it is written: 1,234 or 1234.0, $18, 50%, 3/4, \frac{3}{4}.

The final number is the first after the last mark that says so (`####`, `\boxed{`, "answer is", "answer:"), else the
last number of the text. Units and currencies are not read. "50%" equals both 50 and 0.5, because references come in
both forms. A comma separates thousands, never decimals; a number rounded to fewer digits is another number, unless a
tolerance is given: `numeric:0.01` takes what is within 1 % of the wanted number for right.
"""

from __future__ import annotations

import math
import re
from typing import ClassVar

_TOLERANCE = 1e-6
"""Relative, for numbers that are not whole; whole numbers must be equal."""

_MARK = re.compile(r"####|\\boxed\s*\{|\banswer\s*(?:is\b|:)", re.IGNORECASE)
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?<![\w.])(?P<sign>(?<![\w)])-)?[$€£]?(?P<top>{_DIGITS})"
    rf"(?:[eE](?P<power>[-+]?\d{{1,3}})|\s?/\s?(?P<bottom>\d+))?(?P<percent>\s?%)?"
)
_LATEX = (
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\([%$])"), r"\1"),
    (re.compile(r"(?<=\d)(?:\{,\}|\\,)(?=\d)"), ","),
    (re.compile(r"[\u2212\u2013](?=[$€£]?\d)"), "-"),
)


class NumericMatch:
    """The final numbers of answer and reference are equal."""

    name: ClassVar[str] = "numeric"
    argument: ClassVar[str] = "a relative tolerance, such as numeric:0.01"

    def __init__(self, argument: str = "", /) -> None:
        self._tolerance = float(argument) if argument else 0.0
        if not 0 <= self._tolerance < 1:
            raise ValueError("the tolerance must be at least 0 and less than 1")

    def read(self, answer: str) -> str | None:
        """The final number; None when there is none."""
        found = _final_number(answer)
        return None if found is None else f"{found[0]:g}{'%' if found[1] else ''}"

    def grade(self, answer: str, reference: str) -> bool | None:
        """Whether the numbers are equal; None when either text holds none, which is unscored and never wrong."""
        wanted, given = _final_number(reference), _final_number(answer)
        if wanted is None or given is None:
            return None
        return any(self._same(a, b) for a in _readings(given) for b in _readings(wanted))

    def _same(self, given: float, wanted: float) -> bool:
        if self._tolerance:
            return abs(given - wanted) <= self._tolerance * abs(wanted)
        if given.is_integer() and wanted.is_integer():
            return given == wanted
        return math.isclose(given, wanted, rel_tol=_TOLERANCE)


type _Found = tuple[float, bool]
"""A number as written, and whether a percent sign follows it."""


def _final_number(text: str) -> _Found | None:
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    end = len(text)
    for mark in reversed(list(_MARK.finditer(text))):
        if (number := _NUMBER.search(text, mark.end(), end)) is not None:
            return _value(number)
        end = mark.start()
    numbers = list(_NUMBER.finditer(text))
    return _value(numbers[-1]) if numbers else None


def _value(number: re.Match[str]) -> _Found | None:
    value = float(f"{number['top'].replace(',', '')}e{number['power'] or 0}")
    bottom = float(number["bottom"] or 1)
    if not bottom or not math.isfinite(value) or not math.isfinite(bottom):
        return None
    return (-value if number["sign"] else value) / bottom, bool(number["percent"])


def _readings(found: _Found) -> tuple[float, ...]:
    value, is_percent = found
    return (value, value / 100) if is_percent else (value,)
