"""Right means JSON with the wanted values; the order of keys, white space and 1 against 1.0 do not matter.

An answer that is no JSON is wrong, not unscored: here the format is the task. So is JSON inside a Markdown fence or
among other words, which a program could not read either. `json:queue,urgency` compares these keys of two objects only.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import ClassVar


class JsonMatch:
    """Answer and reference are the same JSON value."""

    name: ClassVar[str] = "json"
    checks_form: ClassVar[bool] = True
    argument: ClassVar[str] = "keys that are compared, such as json:queue,urgency"

    def __init__(self, argument: str = "", /) -> None:
        self._keys = [key.strip() for key in argument.split(",")] if argument else []

    def read(self, answer: str) -> str | None:
        """The answer, when it is JSON that can be compared."""
        try:
            self._compared(answer)
        except _NOT_JSON:
            return None
        return answer.strip()

    def grade(self, answer: str, reference: str) -> bool | None:
        """Whether both hold the same value; None when the reference is no JSON or lacks a key that is compared."""
        try:
            wanted = self._compared(reference)
        except _NOT_JSON:
            return None
        try:
            return self._compared(answer) == wanted
        except _NOT_JSON:
            return False

    def _compared(self, text: str) -> object:
        value = _parsed(text)
        if not self._keys:
            return value
        if not isinstance(value, dict):
            raise ValueError("it has no keys")
        return [value[key] for key in self._keys]


_NOT_JSON = (ValueError, KeyError, InvalidOperation, RecursionError)


def _parsed(text: str) -> object:
    return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_refuse)


def _number(text: str) -> tuple[Decimal]:
    """Numbers as 1-tuples: Python holds 1 equal to True, JSON does not."""
    return (Decimal(text),)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")
