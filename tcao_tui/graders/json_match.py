"""Right means JSON with the wanted values; the order of keys, white space and 1 against 1.0 do not matter.

An answer that is no JSON is wrong, not unscored: here the format is the task. So is JSON inside a Markdown fence or
among other words, which a program could not read either.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import ClassVar


class JsonMatch:
    """Answer and reference are the same JSON value."""

    name: ClassVar[str] = "json"

    def grade(self, answer: str, reference: str) -> bool | None:
        """Whether both hold the same value; None when the reference is no JSON."""
        try:
            wanted = _parsed(reference)
        except _NOT_JSON:
            return None
        try:
            return _parsed(answer) == wanted
        except _NOT_JSON:
            return False


_NOT_JSON = (ValueError, InvalidOperation, RecursionError)


def _parsed(text: str) -> object:
    return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_refuse)


def _number(text: str) -> tuple[Decimal]:
    """Numbers as 1-tuples: Python holds 1 equal to True, JSON does not."""
    return (Decimal(text),)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")
