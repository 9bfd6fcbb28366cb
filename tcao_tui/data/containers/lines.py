"""Text in pieces to lines: fast, numbered, and with a line that is too long to hold passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tcao_tui.data.containers.port import LONGEST_ROW_BYTES
from tcao_tui.data.containers.source import Source


def note_line_ends(source: Source) -> None:
    """Note CRLF, by the first line."""
    if source.head.partition(b"\n")[0].endswith(b"\r"):
        source.notes.append("lines end in CRLF")


class Lines:
    """Lines without their newline; None stands for one that is longer than any row may be.

    Attributes:
        number: Of the present line, from 1.
        torn: The present line is the last one and has no newline.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.number = 0
        self.torn = False

    def __iter__(self) -> Iterator[bytes | None]:
        begun: list[bytes] = []
        size = 0
        for piece in self._pieces:
            first, *others = piece.split(b"\n")
            size += len(first)
            begun = [*begun, first] if size <= LONGEST_ROW_BYTES else []
            if not others:
                continue
            self.number += 1
            yield b"".join(begun) if size <= LONGEST_ROW_BYTES else None
            last = others.pop()
            for line in others:
                self.number += 1
                yield line if len(line) <= LONGEST_ROW_BYTES else None
            begun, size = [last], len(last)
        if size:
            self.number += 1
            self.torn = True
            yield b"".join(begun) if size <= LONGEST_ROW_BYTES else None
