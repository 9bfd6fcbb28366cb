"""CSV and TSV with a header; quoted fields may hold delimiters and newlines. Every cell is text."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from tcao_tui.data.containers.lines import Lines, note_line_ends
from tcao_tui.data.containers.port import LONGEST_ROW_BYTES, Record, too_long
from tcao_tui.data.containers.source import Source
from tcao_tui.data.rows import RowRejected

_DELIMITERS = (",", "\t", ";", "|")
_NAMES = {",": "comma", "\t": "tab"}


class _Feed:
    """Lines as text for `csv`, at most as many for one row as a row may have bytes.

    Attributes:
        flaw: What is wrong with a line of the present row, if anything.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._iterator = iter(lines)
        self._size = 0
        self.flaw: RowRejected | None = None

    def begin(self) -> int:
        """A new row begins; returns its line."""
        self._size = 0
        self.flaw = None
        return self._lines.number + 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = next(self._iterator)
        self._size += LONGEST_ROW_BYTES + 1 if raw is None else len(raw)
        if raw is None or self._size > LONGEST_ROW_BYTES:
            raise too_long("is a quote left open?")
        if b"\x00" in raw:
            self.flaw = RowRejected("contains a NUL byte", "the file is damaged or not text: write it again")
        try:
            return raw.decode() + "\n"
        except UnicodeDecodeError as error:
            what = f"byte {error.start + 1} of line {self._lines.number} (0x{raw[error.start]:02x}) is not UTF-8"
            self.flaw = RowRejected(what, "save the file as UTF-8")
            return raw.decode(errors="replace") + "\n"


def records(source: Source) -> Iterator[Record]:
    """Rows of a CSV or TSV file. Raises `RowRejected` when its header cannot be used."""
    note_line_ends(source)
    # The limit is csv's own and one for the process; a row is limited by its feed.
    csv.field_size_limit(2 * LONGEST_ROW_BYTES)
    feed = _Feed(Lines(source.pieces()))
    rows = csv.reader(feed, delimiter=_delimiter(source))
    header = _header(rows, feed)
    width = len(header)
    while True:
        line = feed.begin()
        try:
            cells = next(rows, None)
        except RowRejected as error:
            yield line, error
            continue
        except csv.Error as error:
            yield line, feed.flaw or RowRejected(f"not CSV: {error}", "quote the field, or write it again")
            continue
        if cells is None:
            return
        if feed.flaw is not None:
            yield line, feed.flaw
        elif len(cells) == width:
            yield line, dict(zip(header, cells, strict=True))
        else:
            yield line, _wrong_width(len(cells), width)


def _wrong_width(cells: int, width: int) -> RowRejected:
    if not cells:
        return RowRejected("blank line", "remove it")
    what = f"has {cells} field{'s' * (cells != 1)}, and the header {width}"
    return RowRejected(what, "put fields that hold a delimiter or a newline in quotes")


def _header(rows: Iterator[list[str]], feed: _Feed) -> list[str]:
    feed.begin()
    try:
        header = next(rows, [])
    except csv.Error as error:
        raise RowRejected(f"the first line is no header: {error}", "begin with a line of column names") from None
    if feed.flaw is not None:
        raise feed.flaw
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise RowRejected(f"two columns are called {twice!r}", "give each column its own name")
    return header


def _delimiter(source: Source) -> str:
    """The one that the header has most of; notes one that the extension does not promise."""
    header = source.head.partition(b"\n")[0].decode(errors="replace")
    usual = "\t" if source.suffix == ".tsv" else ","
    found = max((usual, *_DELIMITERS), key=header.count)
    if found != usual:
        source.notes.append(f"columns are separated by {_NAMES.get(found, found)}")
    return found
