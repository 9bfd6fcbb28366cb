"""JSON: an array of objects, such an array under a key like "data", or objects one after the other over many lines.

The text is cut at the rows' brackets without being decoded, so that one broken row is one bad row and memory stays
that of one row; a streaming parser would end at the first error and hold a string of any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tcao_tui.data.containers.json_text import decode
from tcao_tui.data.containers.lines import note_line_ends
from tcao_tui.data.containers.port import LONGEST_ROW_BYTES, Record, too_long
from tcao_tui.data.containers.source import Source
from tcao_tui.data.rows import RowRejected

_LIST_KEYS = {
    b'"%b"' % key
    for key in (b"data", b"rows", b"examples", b"items", b"records", b"instances", b"samples", b"train", b"dataset")
}
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]', re.DOTALL)
_LIST_OF_OBJECTS = re.compile(rb"\s*:\s*\[(?=\s*\{)")
_BEGIN = re.compile(rb"[^\s,]")
_BRACKET = re.compile(rb'["{}\[\]]')
_BRACKET_OR_COMMA = re.compile(rb'["{}\[\],]')
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_QUOTE, _BACKSLASH, _END = b'"\\]'
_OPENING, _CLOSING = b"{[", b"}]"


def records(source: Source) -> Iterator[Record]:
    """Rows of a JSON file."""
    note_line_ends(source)
    pieces = source.pieces()
    head = next(pieces, b"")
    start = _start_of_list(head)
    if start and head.lstrip().startswith(b"{"):
        source.notes.append("rows are a list inside an object")
    cutter = _Cutter(in_list=bool(start), line=1 + head.count(b"\n", 0, start))
    for line, raw in cutter.cut(_chained(head[start:], pieces)):
        try:
            row = too_long("is a bracket or a quote left open?") if raw is None else decode(raw, torn=cutter.torn)
        except RowRejected as error:
            yield line, error
        else:
            yield line, row
    if cutter.in_list:
        yield cutter.line, RowRejected("the file ends before its list does", "the write was cut off: complete the file")


def _chained(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from pieces


def _start_of_list(head: bytes) -> int:
    """Where the first row of a list stands: behind a bracket, or behind that of a key that means a list of rows."""
    opening = _BEGIN.search(head)
    if opening is None or opening.group() == b"[":
        return opening.end() if opening else 0
    depth = 0
    for token in _TOKEN.finditer(head):
        text = token.group()
        depth += (text in (b"{", b"[")) - (text in (b"}", b"]"))
        if depth == 1 and text in _LIST_KEYS and (found := _LIST_OF_OBJECTS.match(head, token.end())):
            return found.end()
        if not depth:
            break
    return 0


class _Cutter:
    """Cuts a text into values, in a list or one after the other.

    Attributes:
        in_list: The list has not ended.
        line: Line of the present place, from 1.
        torn: The text ended inside the last value.
    """

    def __init__(self, *, in_list: bool, line: int) -> None:
        self.in_list = in_list
        self.line = line
        self.torn = False
        self._depth = 0
        self._in_string = self._escaped = False

    def cut(self, pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes | None]]:
        """Values with the line in which each begins; None for one that is too long to hold."""
        begun: list[bytes] = []
        size, began = 0, 0
        was_list = self.in_list
        for piece in pieces:
            place = 0
            while place < len(piece):
                if not size:
                    place = self._next_begin(piece, place)
                    if was_list and not self.in_list:
                        return
                    if place == len(piece):
                        break
                    began = self.line
                end = self._end(piece, place)
                stop = len(piece) if end is None else end
                size += stop - place
                begun = [*begun, piece[place:stop]] if size <= LONGEST_ROW_BYTES else []
                self.line += piece.count(b"\n", place, stop)
                place = stop
                if end is not None:
                    yield began, b"".join(begun) if size <= LONGEST_ROW_BYTES else None
                    begun, size = [], 0
        if size:
            self.torn, self.in_list = True, False
            yield began, b"".join(begun) if size <= LONGEST_ROW_BYTES else None

    def _next_begin(self, piece: bytes, place: int) -> int:
        """Where the next value begins; the end of the piece when it is further on."""
        found = _BEGIN.search(piece, place)
        begin = len(piece) if found is None else found.start()
        self.line += piece.count(b"\n", place, begin)
        if found is not None and self.in_list and piece[begin] == _END:
            self.in_list = False
        return begin

    def _end(self, piece: bytes, place: int) -> int | None:
        """Where the present value ends; None when it is further on."""
        while True:
            if self._in_string:
                place = self._after_string(piece, place)
                if self._in_string:
                    return None
            found = (_BRACKET if self._depth else _BRACKET_OR_COMMA).search(piece, place)
            if found is None:
                return None
            place, byte = found.end(), piece[found.start()]
            if byte == _QUOTE:
                self._in_string = True
            elif byte in _OPENING:
                self._depth += 1
            elif not self._depth:
                # A bare value ends before a comma or the list's end, and a stray bracket is a value of its own.
                return place if piece[found.start()] not in b",]" or not self.in_list else found.start()
            else:
                self._depth -= 1
                if not self._depth:
                    return place

    def _after_string(self, piece: bytes, place: int) -> int:
        if self._escaped:
            self._escaped = False
            place += 1
        found = _REST_OF_STRING.match(piece, place)
        place = place if found is None else found.end()
        if place < len(piece):
            self._escaped = piece[place] == _BACKSLASH
            self._in_string = self._escaped
            place += 1
        return place
