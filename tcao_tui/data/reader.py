"""Streaming reader of data files: one row after the other, every bad one named by file and line.

What the file is, container, format and mapping, is found out from its content and its first rows, or is told. Memory
is bounded by the longest row that may be, whatever the size of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from tcao_tui.data.columns import ColumnCounts
from tcao_tui.data.containers import CONTAINERS
from tcao_tui.data.containers.port import Record
from tcao_tui.data.containers.recognise import recognise
from tcao_tui.data.containers.source import Digest, Source
from tcao_tui.data.formats.recognise import Reading, recognise_format
from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.rows import Row, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind

SAMPLE_ROWS = 100
_SAMPLE_BYTES = 4 * 2**20


@dataclass(slots=True)
class RowReader:
    """Rows of one file in order; bad ones go to `problems` and are skipped.

    Args:
        path: The file.
        fields: Format and column names as far as they are known; None, or an empty `data_format`: find out.
        problems: Takes the bad rows.
        digest: Sees every byte of the file once it was read to its end.
        kind: What the rows are wanted as; None: what they are. A file that is something else is one problem of the
            file as a whole, which says what it is and how to say otherwise, and yields no row.

    Attributes:
        fields: How rows are read, known once the first row is asked for; as given where nothing could be recognised.
        kind: What the rows are read as; None where nothing could be recognised.
        kinds: All that these rows may be used for, judged by the first rows.
        container, compression, encoding: How the file keeps its rows.
        line: Line in which the present row begins, from 1; of Parquet the number of the row.
        record: The present row as the file has it, for those who copy it.
        rows: Good rows read so far.
        notes: Peculiarities that are accepted.

    Raises:
        PlanInvalid: When iterated: `fields` names a format that does not exist.
    """

    path: Path
    fields: FieldMap | None
    problems: Problems
    digest: Digest | None = None
    kind: RowKind | None = None
    kinds: tuple[RowKind, ...] = ()
    container: str = ""
    compression: str = ""
    encoding: str = "utf-8"
    line: int = 0
    record: dict[str, Any] = field(default_factory=dict[str, Any])
    rows: int = 0
    notes: list[str] = field(default_factory=list[str])
    _source: Source | None = None
    _columns: ColumnCounts = field(default_factory=ColumnCounts)

    def __iter__(self) -> Iterator[Row]:
        try:
            with self.path.open("rb") as file:
                source = self._source = Source(self.path, file, self.digest)
                source.notes = self.notes = [*self.notes, *source.notes]
                self.container = recognise(source)
                self.compression, self.encoding = source.compression, source.encoding
                yield from self._rows(_to_the_end(CONTAINERS.load(self.container)(source)), source)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.problems.add(RowProblem(self.path, 0, f"cannot be read: {reason}", "check the path and its rights"))
        except RowRejected as error:
            self._reject(0, error)

    @property
    def bytes_read(self) -> int:
        """Bytes of the file itself read so far."""
        return 0 if self._source is None else self._source.bytes_read

    @property
    def columns(self) -> dict[str, int]:
        """Columns and in how many rows each was seen, most frequent first."""
        return self._columns.by_frequency()

    def _rows(self, records: Iterator[Record], source: Source) -> Iterator[Row]:
        sample: list[Record] = []
        for line, record in records:
            if not sample and isinstance(record, RowRejected):
                self._reject(line, record)
                continue
            sample.append((line, record))
            if len(sample) == SAMPLE_ROWS or source.given > _SAMPLE_BYTES:
                break
        reading = recognise_format([row for _, row in sample if isinstance(row, dict)], self.fields, self.kind)
        self.fields, self.kind, self.kinds = reading.fields or self.fields, reading.kind, reading.kinds
        yield from self._read(chain(sample, records), reading)

    def _reject(self, line: int, error: RowRejected) -> None:
        self.problems.add(RowProblem(self.path, line, error.what, error.fix))

    def _read(self, records: Iterable[Record], reading: Reading) -> Iterator[Row]:
        read, count = reading.read, self._columns.add
        for self.line, record in records:
            try:
                if isinstance(record, RowRejected):
                    raise record
                count(record)
                row = read(record)
            except RowRejected as error:
                self._reject(self.line, error)
                continue
            self.rows += 1
            self.record = record
            yield row


def _to_the_end(records: Iterator[Record]) -> Iterator[Record]:
    """The rows, and what ended the reading of them before its time as a problem of the whole file."""
    try:
        yield from records
    except RowRejected as error:
        yield 0, error
