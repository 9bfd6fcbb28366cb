"""What a container is: it cuts a file into rows, good and bad, each with its line, and holds one of them at a time.

Out of scope: what a row means (`data.formats`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from tcao_tui.data.containers.source import Source
from tcao_tui.data.rows import RowRejected

LONGEST_ROW_BYTES = 8 * 2**20
"""About two million tokens, more than any model reads at once; longer rows are bad ones and are not kept in memory."""

type Record = tuple[int, dict[str, Any] | RowRejected]
"""Line in which a row begins, from 1, and the row or what is wrong with it."""


class Container(Protocol):
    """Reads the rows of an opened file in order; may append to `source.notes`."""

    def __call__(self, source: Source) -> Iterator[Record]:
        """Rows of the file. Raises `RowRejected` for what ends the reading, such as a broken header."""
        ...


def too_long(hint: str) -> RowRejected:
    """The error of a row that is longer than any may be."""
    return RowRejected(f"longer than {LONGEST_ROW_BYTES // 2**20} MiB", hint)
