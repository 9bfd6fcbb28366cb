"""Quick pass over a data file before anything is spent: rows, format, hash and every bad row. Imports nothing heavy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.data.formats.port import FieldNames
from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.reader import RowReader
from tcao_tui.domain.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class DataReport:
    """What a file holds.

    Attributes:
        rows: Good rows.
        format: Name of the row format; empty when no row could be read.
        sha256: Hash of the bytes, hex.
        errors: The first hundred bad rows; `error_count` is all of them.
        notes: Peculiarities that are accepted, such as a byte order mark.
    """

    path: Path
    rows: int
    format: str
    sha256: str
    bytes: int
    errors: tuple[RowProblem, ...] = ()
    error_count: int = 0
    notes: tuple[str, ...] = ()

    def raise_if_bad(self) -> None:
        """Raises `PlanInvalid` that lists the bad rows."""
        Problems(self.error_count, list(self.errors)).raise_if_any()


def field_names(config: TrainingConfig) -> FieldNames:
    """Which fields of a row hold prompt and answer."""
    return FieldNames(config.input_field, config.output_field)


def check_file(path: Path, config: TrainingConfig) -> DataReport:
    """Read all of `path` once, in bounded memory; bad rows are reported, not raised."""
    digest = hashlib.sha256()
    problems = Problems()
    reader = RowReader(path, field_names(config), problems, digest)
    for _ in reader:
        pass
    if not reader.rows and not problems.total:
        problems.add(RowProblem(path, 0, "the file holds no rows", "write one JSON object per line"))
    return DataReport(
        path=path,
        rows=reader.rows,
        format=reader.format_name,
        sha256=digest.hexdigest(),
        bytes=reader.bytes_read,
        errors=tuple(problems.first),
        error_count=problems.total,
        notes=tuple(reader.notes),
    )
