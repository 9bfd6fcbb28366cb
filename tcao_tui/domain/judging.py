"""What a judge is asked, and what counts as its grade.

An answer may hold anything, grades and orders to the judge among it. So each text stands between marks that are made of
its own hash, which it cannot hold, and only the judge's own last line is read.
"""

from __future__ import annotations

import hashlib
import re
from string import Template
from typing import Literal, cast

type Better = Literal["first", "second", "neither"]

RUBRIC = "It says what the wanted answer says. Other words for the same are right, and so is more that is true."
"""Where the plan has none."""

PAIRWISE_RUBRIC = "It answers the question more correctly, more completely and with less that is beside the point."

_GRADE = re.compile(r"\**GRADE:\s*\**\s*([CI])\b\**\.?", re.IGNORECASE)
_BETTER = re.compile(r"\**BETTER:\s*\**\s*(FIRST|SECOND|NEITHER)\b\**\.?", re.IGNORECASE)
_MARK_DIGITS = 12


def grading_prompt(template: str, *, rubric: str, question: str, wanted: str, answer: str) -> str:
    """What a judge of one answer is asked; an empty `wanted` is left out.

    Args:
        template: Text of `prompts/judging/grade.md`.
        rubric: What makes an answer right; empty for `RUBRIC`.
        question: What was asked.
        wanted: The wanted answer.
        answer: What is graded.
    """
    return Template(template).substitute(
        rubric=rubric or RUBRIC,
        question=_marked("question", question),
        wanted=_marked("wanted answer", wanted) if wanted else "",
        answer=_marked("answer to grade", answer),
    )


def pairwise_prompt(template: str, *, rubric: str, question: str, wanted: str, first: str, second: str) -> str:
    """What a judge of two answers is asked, in this order; `template` is the text of `prompts/judging/pairwise.md`."""
    return Template(template).substitute(
        rubric=rubric or PAIRWISE_RUBRIC,
        question=_marked("question", question),
        wanted=_marked("wanted answer", wanted) if wanted else "",
        first=_marked("first answer", first),
        second=_marked("second answer", second),
    )


def grade_in(said: str) -> bool | None:
    """Whether a judge's last line calls the answer right; None when it is no grade."""
    found = _GRADE.fullmatch(_last_line(said))
    return None if found is None else found[1].upper() == "C"


def better_in(said: str) -> Better | None:
    """Which answer a judge's last line prefers; None when it names none."""
    found = _BETTER.fullmatch(_last_line(said))
    return None if found is None else cast("Better", found[1].lower())


def win_of(one: Better, swapped: Better) -> float:
    """What an answer is worth that stood first and then second: 1 won, 0 lost, 0.5 when the orders disagree."""
    match one, swapped:
        case "first", "second":
            return 1.0
        case "second", "first":
            return 0.0
        case _:
            return 0.5


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


def _marked(name: str, text: str) -> str:
    number = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_MARK_DIGITS]
    return f"=== {name} {number} begins ===\n{text}\n=== {name} {number} ends ==="
