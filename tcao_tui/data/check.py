"""Quick pass over a data file before anything is spent: rows, format, hash and every bad row. Imports nothing heavy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.reader import RowReader
from tcao_tui.domain.data_profile import FieldMap, RowKind
from tcao_tui.domain.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class DataReport:
    """What a file holds.

    Attributes:
        rows: Good rows.
        fields: How they are read; None when no format was recognised.
        kind: What they are read as.
        sha256: Hash of the bytes, hex.
        errors: The first hundred bad rows; `error_count` is all of them.
        notes: Peculiarities that are accepted, such as a byte order mark.
    """

    path: Path
    rows: int
    fields: FieldMap | None
    kind: RowKind | None
    sha256: str
    bytes: int
    errors: tuple[RowProblem, ...] = ()
    error_count: int = 0
    notes: tuple[str, ...] = ()

    def raise_if_bad(self) -> None:
        """Raises `PlanInvalid` that lists the bad rows."""
        Problems(self.error_count, list(self.errors)).raise_if_any()


def fields_of(config: TrainingConfig) -> FieldMap:
    """How a config says that rows are read; without a format, it is looked for in the rows."""
    return FieldMap(
        data_format=config.data_format or "",
        input_field=config.input_field,
        output_field=config.output_field,
        chosen_field=config.chosen_field,
        rejected_field=config.rejected_field,
    )


def check_file(path: Path, fields: FieldMap | None, kind: RowKind | None = "chat") -> DataReport:
    """Read all of `path` once, in bounded memory; bad rows are reported, not raised.

    Args:
        path: The file.
        fields: What is known of its format and mapping.
        kind: What its rows are wanted as; None: what they are.
    """
    digest = hashlib.sha256()
    problems = Problems()
    reader = RowReader(path, fields, problems, digest, kind)
    for _ in reader:
        pass
    if not reader.rows and not problems.total:
        problems.add(RowProblem(path, 0, "the file holds no rows", "write one JSON object per line"))
    return DataReport(
        path=path,
        rows=reader.rows,
        fields=reader.fields,
        kind=reader.kind,
        sha256=digest.hexdigest(),
        bytes=reader.bytes_read,
        errors=tuple(problems.first),
        error_count=problems.total,
        notes=tuple(reader.notes),
    )
