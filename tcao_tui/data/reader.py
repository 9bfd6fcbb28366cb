"""Streaming reader of JSONL: one conversation per row, every bad row named by file and line.

A byte order mark and CRLF line ends are accepted and noted; blank lines are not, because a count of lines that is no
count of rows misleads. Memory is bounded by the longest line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from tcao_tui.data.formats import FORMATS
from tcao_tui.data.formats.port import Conversation, FieldNames, RowFormat, RowRejected
from tcao_tui.data.problems import Problems, RowProblem

LONGEST_LINE_BYTES = 64 * 2**20

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Digest(Protocol):
    """Something that sees every byte of the file, such as a `hashlib` object."""

    def update(self, data: bytes, /) -> None:
        """Take in the next bytes."""
        ...


class _Duplicated(ValueError):
    """A key appears twice in one object."""


@dataclass(slots=True)
class RowReader:
    """Rows of one file in order; bad ones go to `problems` and are skipped.

    Attributes:
        format_name: Format of the file, known after the first row; empty before.
        rows: Good rows read so far.
        notes: Peculiarities that are accepted.
    """

    path: Path
    fields: FieldNames
    problems: Problems
    digest: Digest | None = None
    format_name: str = ""
    rows: int = 0
    bytes_read: int = 0
    notes: list[str] = field(default_factory=list[str])
    _format: RowFormat | None = None

    def __iter__(self) -> Iterator[Conversation]:
        try:
            with self.path.open("rb") as file:
                yield from self._rows(file)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.problems.add(RowProblem(self.path, 0, f"cannot be read: {reason}", "check the path and its rights"))

    def _rows(self, file: BinaryIO) -> Iterator[Conversation]:
        line = 0
        while raw := file.readline(LONGEST_LINE_BYTES):
            line += 1
            self.bytes_read += len(raw)
            if self.digest is not None:
                self.digest.update(raw)
            try:
                conversation = self._read(self._text(raw, line), torn=not raw.endswith(b"\n"))
            except RowRejected as error:
                self.problems.add(RowProblem(self.path, line, error.what, error.fix))
                if line == 1 and raw.startswith(_WIDE_BOMS):
                    return
                if len(raw) == LONGEST_LINE_BYTES and not raw.endswith(b"\n"):
                    return
                continue
            self.rows += 1
            yield conversation

    def _text(self, raw: bytes, line: int) -> str:
        if len(raw) == LONGEST_LINE_BYTES and not raw.endswith(b"\n"):
            raise RowRejected(f"longer than {LONGEST_LINE_BYTES // 2**20} MiB", "one row per line; is this JSONL?")
        if line == 1:
            raw = self._without_mark(raw)
        if raw.endswith(b"\r\n") and line == 1:
            self.notes.append("lines end in CRLF")
        if b"\x00" in raw:
            raise RowRejected("contains a NUL byte", "the file is damaged or not text: write it again")
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            what = f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not UTF-8"
            raise RowRejected(what, "save the file as UTF-8") from None
        if not text.strip():
            raise RowRejected("blank line", "remove it")
        return text

    def _without_mark(self, raw: bytes) -> bytes:
        if raw.startswith(_WIDE_BOMS):
            raise RowRejected("the file is UTF-16, not UTF-8", "save the file as UTF-8")
        if raw.startswith(_BOM):
            self.notes.append("starts with a byte order mark")
            return raw[len(_BOM) :]
        return raw

    def _read(self, text: str, *, torn: bool) -> Conversation:
        row = _decode(text, torn=torn)
        if self._format is None:
            self._format = _recognise(row, self.fields)
            self.format_name = self._format.name
        return self._format.read(row, self.fields)


def _decode(text: str, *, torn: bool) -> dict[str, Any]:
    try:
        row: object = json.loads(text, object_pairs_hook=_unique)
    except _Duplicated as error:
        raise RowRejected(str(error), "keep one of the two") from None
    except json.JSONDecodeError as error:
        if torn:
            raise RowRejected("the file ends inside this row", "the write was cut off: complete or remove it") from None
        if text.lstrip().startswith("["):
            raise RowRejected("a JSON array, not JSONL", "write one object per line, without [ ] and commas") from None
        raise RowRejected(f"not JSON: {error.msg} at column {error.colno}", "write one JSON object per line") from None
    except RecursionError:
        raise RowRejected("nested too deeply", "a row is a flat object") from None
    if not isinstance(row, dict):
        raise RowRejected(f"a JSON {type(row).__name__}, not an object", "write one JSON object per line")
    return cast("dict[str, Any]", row)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Duplicated(f"key {twice!r} appears twice")
    return row


def _recognise(row: dict[str, Any], fields: FieldNames) -> RowFormat:
    formats = [FORMATS.load(name)() for name in FORMATS.names()]
    found = next((f for f in formats if f.matches(row, fields)), None)
    if found is not None:
        return found
    keys = ", ".join(repr(key) for key in list(row)[:8]) or "none"
    raise RowRejected(
        f"neither {fields.input_field!r} and {fields.output_field!r} nor 'messages'; the row has: {keys}",
        "set input_field and output_field to the fields that hold prompt and answer",
    )
