"""Appends rows to a JSONL file, all or none, and only to one whose rows are read in the same way."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tcao_tui.data.formats.recognise import Reading, recognise_format
from tcao_tui.data.jsonl_rows import row_bytes
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import SAMPLE_ROWS, RowReader
from tcao_tui.data.rows import RowRejected
from tcao_tui.errors import Refused, TcaoError, UsageError

_FILE_MODE = 0o666
"""Before the person's umask."""


def append_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Append rows; the file is made when it is not there.

    What is written goes out in one write under a lock, so that consoles that append at the same time do not mix, and
    is taken back when the disk is full.

    Args:
        path: The file.
        rows: All of one format that `tcao data` reads.

    Raises:
        Refused: The file holds rows of another format, or none that can be read.
        UsageError: It cannot be written.
        TcaoError: The rows themselves cannot be read back.
    """
    reading = _reading(rows)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_size:
                _check(path, reading)
            _write(descriptor, b"".join(row_bytes(row) for row in rows))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or type(error).__name__}", where=str(path)) from error


def _reading(rows: Sequence[dict[str, Any]]) -> Reading:
    try:
        reading = recognise_format(rows, None, None)
        for row in rows:
            reading.read(row)
    except RowRejected as error:
        raise TcaoError(f"this cannot be kept as a row: {error.what}", next_step=error.fix) from error
    return reading


def _check(path: Path, reading: Reading) -> None:
    problems = Problems()
    reader = RowReader(path, None, problems)
    there = sum(1 for _row in islice(reader, SAMPLE_ROWS))
    other = f"name another file; rows of one format belong together (`tcao data inspect {path}`)"
    if reader.container != "jsonl" or reader.compression or reader.encoding != "utf-8":
        raise Refused("rows are appended to JSONL files only", where=str(path), next_step=other)
    if not there or problems.total:
        why = problems.first[0].what if problems.first else "it holds no rows"
        raise Refused(f"nothing is appended to a file that cannot be read: {why}", where=str(path), next_step=other)
    if (reader.fields, reader.kind) != (reading.fields, reading.kind):
        found, wanted = _words(reader), _words(reading)
        raise Refused(f"the file holds {found}, and this is {wanted}", where=str(path), next_step=other)


def _words(read: Reading | RowReader) -> str:
    fields = read.fields
    return f"rows of format {fields.data_format}, read as {read.kind}" if fields else "rows of no known format"


def _write(descriptor: int, lines: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        lines = b"\n" + lines
    try:
        if os.write(descriptor, lines) != len(lines):
            raise OSError(0, "the disk is full")
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise
