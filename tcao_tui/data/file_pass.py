"""One pass over a data file: rows in batches that fit into memory, its hash, and whether it was changed meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.reader import RowReader
from tcao_tui.data.row_text import RowText, row_text
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.errors import PlanInvalid

_BATCH_ROWS = 1_000
_BATCH_CHARACTERS = 2**18

type OnBytes = Callable[[int], None]
"""Told the bytes of the file that were read so far, often."""


class FilePass:
    """Reads a file once.

    Args:
        path: The file.
        fields: How rows are read; None to find out.
        on_bytes: Told how far it is.

    Attributes:
        reader: Knows how the rows are read, and the row that was read last.
        problems: Bad rows so far.
        size_bytes: Of the file when the pass began.

    Raises:
        PlanInvalid: The file cannot be opened.
    """

    def __init__(self, path: Path, fields: FieldMap | None, on_bytes: OnBytes = lambda count: None) -> None:
        self._before = file_status(path)
        self._digest = _WatchedDigest(path, self._before.st_size, on_bytes)
        self.path = path
        self.size_bytes = self._before.st_size
        self.problems = Problems()
        self.reader = RowReader(path, fields, self.problems, self._digest)

    def batches(self) -> Iterator[list[RowText]]:
        """All rows that can be used. A file without any row is a problem of its own."""
        batch: list[RowText] = []
        characters = 0
        for row in self.reader:
            text = row_text(row, self.reader.line)
            batch.append(text)
            characters += len(text.prompt) + len(text.answer)
            if len(batch) == _BATCH_ROWS or characters > _BATCH_CHARACTERS:
                yield batch
                batch, characters = [], 0
        if batch:
            yield batch
        if not self.reader.rows and not self.problems.total:
            self.problems.add(RowProblem(self.path, 0, "the file holds no rows", "write one row per line"))

    def sha256(self) -> str:
        """Hash of the file, once all of it was read. Raises `PlanInvalid` when it was changed meanwhile."""
        after = file_status(self.path)
        if (after.st_size, after.st_mtime_ns) != (self.size_bytes, self._before.st_mtime_ns):
            raise _changed(self.path)
        return self._digest.hexdigest()


def file_status(path: Path) -> os.stat_result:
    """Size and times of a regular file that can be read.

    Raises:
        PlanInvalid: It is not there, may not be read, or is something else.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()
            return status
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise _invalid(path, f"cannot be read: {reason}", "check the path and its rights") from None
    raise _invalid(path, "not a file", "name a data file, such as train.jsonl")


class _WatchedDigest:
    """SHA-256 that tells how much of the file it has seen, and ends the reading of one that grows."""

    def __init__(self, path: Path, size: int, on_bytes: OnBytes) -> None:
        self._path = path
        self._size = size
        self._hash = hashlib.sha256()
        self._count = 0
        self._on_bytes = on_bytes

    def update(self, data: bytes, /) -> None:
        """Take in the next bytes of the file. Raises `PlanInvalid`."""
        self._hash.update(data)
        self._count += len(data)
        if self._count > self._size:
            raise _changed(self._path)
        self._on_bytes(self._count)

    def hexdigest(self) -> str:
        """The hash of the whole file; it is read anew when the reader stopped before its end."""
        if self._count == self._size:
            return self._hash.hexdigest()
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _changed(path: Path) -> PlanInvalid:
    return _invalid(path, "the file was changed while it was read", "do it again once nothing writes to it")


def _invalid(path: Path, what: str, next_step: str) -> PlanInvalid:
    return PlanInvalid(what, where=str(path), next_step=next_step)
