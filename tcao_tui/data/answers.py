"""Final answers that can be checked: after `####` as in GSM8K, in `\\boxed{}` as in MATH, or a bare number."""

from __future__ import annotations

import re

_MARK = "####"
_BOX = "\\boxed{"
_NUMBER = re.compile(r"[-+]?[$€£]?[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:/\d+)?\s?%?")


def final_answer(text: str) -> str | None:
    """The answer that a worked solution ends with; None when nothing marks one."""
    marked = text.rpartition(_MARK)[2].strip() if _MARK in text else _boxed(text)
    if marked is None and _NUMBER.fullmatch(bare := text.strip()):
        return bare
    return marked or None


def _boxed(text: str) -> str | None:
    """What the last box holds; braces inside it are balanced."""
    start = text.rfind(_BOX)
    if start < 0:
        return None
    start += len(_BOX)
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if not depth:
            return text[start:place].strip()
    return None
