"""What a data format is: it reads one decoded row into a conversation, or says what is wrong with it.

Out of scope: lines, encodings and JSON (`data.reader`), tokens (`methods`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

type Message = dict[str, str]
"""One turn: `role` and `content`, both text."""

type Conversation = list[Message]
"""Turns in order, never empty."""


class RowRejected(Exception):
    """A row cannot be used.

    Args:
        what: What is wrong with it.
        fix: What to change.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


@dataclass(frozen=True, slots=True)
class FieldNames:
    """Fields of a row that hold prompt and answer."""

    input_field: str = "input"
    output_field: str = "output"


class RowFormat(Protocol):
    """One shape of a row."""

    name: ClassVar[str]

    def matches(self, row: Mapping[str, Any], fields: FieldNames) -> bool:
        """Whether the row is meant to be of this format; asked of the first row of a file."""
        ...

    def read(self, row: Mapping[str, Any], fields: FieldNames) -> Conversation:
        """The row as a conversation. Raises `RowRejected`."""
        ...


def text_of(value: object, name: str) -> str:
    """`value` as text that can be encoded.

    Raises:
        RowRejected: It is not a string, or holds half of a surrogate pair.
    """
    if not isinstance(value, str):
        kind = "missing" if value is None else f"a {type(value).__name__}"
        raise RowRejected(f"{name} is {kind}, not text", f"make {name} a string")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise RowRejected(
                f"{name} holds half of a surrogate pair", "write the whole character, or remove the \\ud8xx escape"
            ) from None
    return value
