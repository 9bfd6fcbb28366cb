"""Parquet: rows out of one page of each column after the other; the line of a row is its number."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, Protocol

from tcao_tui.data.containers.port import LONGEST_ROW_BYTES, Record, too_long
from tcao_tui.data.containers.source import PIECE_BYTES, Source
from tcao_tui.data.rows import RowRejected

_ROWS_AT_ONCE = 64


class _Batch(Protocol):
    """What is used of `pyarrow.RecordBatch`, which has no types."""

    num_rows: int

    def to_pylist(self) -> list[dict[str, Any]]: ...
    def slice(self, offset: int, length: int) -> _Batch: ...


def records(source: Source) -> Iterator[Record]:
    """Rows of a Parquet file. Raises `RowRejected` when the file is damaged."""
    import pyarrow  # 0.3 s that no other container needs
    from pyarrow import parquet

    number = 0
    with _seekable(source) as file:
        try:
            opened = parquet.ParquetFile(file, buffer_size=PIECE_BYTES, pre_buffer=False)
            for batch in opened.iter_batches(_ROWS_AT_ONCE, use_threads=False):
                for row in _rows(batch):
                    number += 1
                    yield number, row
        except (pyarrow.ArrowException, OSError) as error:
            reason = str(error).partition("\n")[0]
            what = f"the Parquet data are damaged after row {number}: {reason}"
            raise RowRejected(what, "write or download the file again") from None


def _seekable(source: Source) -> IO[bytes]:
    """The file, each byte of which was read once; unpacked to a temporary file when it is compressed as a whole."""
    if not source.compression:
        for _ in source.bytes_as_they_are():
            pass
        return source.path.open("rb")
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(tempfile.TemporaryFile())
        for piece in source.bytes_as_they_are():
            file.write(piece)
        file.seek(0)
        opened.pop_all()
        return file


def _rows(batch: _Batch) -> Iterator[dict[str, Any] | RowRejected]:
    rows: Sequence[dict[str, Any] | RowRejected]
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:
        rows = [_row(batch, index) for index in range(batch.num_rows)]
    for row in rows:
        if isinstance(row, dict) and any(len(v) > LONGEST_ROW_BYTES for v in row.values() if isinstance(v, str)):
            yield too_long("remove the row")
        else:
            yield row


def _row(batch: _Batch, index: int) -> dict[str, Any] | RowRejected:
    try:
        return batch.slice(index, 1).to_pylist()[0]
    except UnicodeDecodeError as error:
        return RowRejected(f"holds text that is not UTF-8: {error.reason}", "write the column as UTF-8")
