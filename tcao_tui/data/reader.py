"""Streaming reader of data files: one row after the other, every bad one named by file and line.

What the file is, container, format and mapping, is found out from its content and its first rows, or is told. Memory
is bounded by the longest row that may be, whatever the size of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tcao_tui.data.containers import CONTAINERS
from tcao_tui.data.containers.port import Record
from tcao_tui.data.containers.recognise import recognise
from tcao_tui.data.containers.source import Digest, Source
from tcao_tui.data.formats.recognise import Reading, recognise_format
from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.rows import Row, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind

SAMPLE_ROWS = 100
_SAMPLE_BYTES = 16 * 2**20
_SHAPES_COUNTED = 1000


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
        rows: Good rows read so far.
        bytes_read: Bytes of the file read so far.
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
    rows: int = 0
    bytes_read: int = 0
    notes: list[str] = field(default_factory=list[str])
    _shapes: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])

    def __iter__(self) -> Iterator[Row]:
        try:
            with self.path.open("rb") as file:
                source = Source(self.path, file, self.digest)
                source.notes = self.notes = [*self.notes, *source.notes]
                self.container = recognise(source)
                self.compression, self.encoding = source.compression, source.encoding
                for row in self._rows(CONTAINERS.load(self.container)(source), source):
                    self.bytes_read = source.bytes_read
                    yield row
                self.bytes_read = source.bytes_read
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.problems.add(RowProblem(self.path, 0, f"cannot be read: {reason}", "check the path and its rights"))
        except RowRejected as error:
            self.problems.add(RowProblem(self.path, 0, error.what, error.fix))

    @property
    def columns(self) -> dict[str, int]:
        """Columns and in how many rows each was seen, most frequent first; of the first thousand sets of columns."""
        counts: Counter[str] = Counter()
        for shape, rows in self._shapes.items():
            counts.update(dict.fromkeys(shape, rows))
        return dict(counts.most_common())

    def _rows(self, records: Iterator[Record], source: Source) -> Iterator[Row]:
        sample: list[Record] = []
        for record in records:
            sample.append(record)
            if len(sample) == SAMPLE_ROWS or source.given > _SAMPLE_BYTES:
                break
        reading = recognise_format([row for _, row in sample if isinstance(row, dict)], self.fields, self.kind)
        self.fields, self.kind, self.kinds = reading.fields or self.fields, reading.kind, reading.kinds
        yield from self._read(chain(sample, records), reading)

    def _read(self, records: Iterable[Record], reading: Reading) -> Iterator[Row]:
        read, shapes = reading.read, self._shapes
        for self.line, record in records:
            try:
                if isinstance(record, RowRejected):
                    raise record
                shape = tuple(record)
                if shape in shapes or len(shapes) < _SHAPES_COUNTED:
                    shapes[shape] += 1
                row = read(record)
            except RowRejected as error:
                self.problems.add(RowProblem(self.path, self.line, error.what, error.fix))
                continue
            self.rows += 1
            yield row
