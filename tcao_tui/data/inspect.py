"""All of one data file in one pass: what it is, what its rows hold, what is odd about them. Memory is bounded.

Tokens are measured by whoever is given as `meter`, since tokenizers are heavy (`probes.rendered`). What is measured is
counted and named by line; no text of a row leaves this module.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tcao_tui.data.anomalies import AnomalyCounter
from tcao_tui.data.duplicates import RowComparer
from tcao_tui.data.file_pass import FilePass, OnBytes
from tcao_tui.data.languages import ROWS_LOOKED_AT, LanguageGuesser
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.row_text import RowText
from tcao_tui.data.rows import Row
from tcao_tui.data.sensitive import SensitiveScan
from tcao_tui.data.traits import TraitCounter
from tcao_tui.domain.data_profile import BadRow, DataProfile, FieldMap, TokenStats
from tcao_tui.domain.plain_text import one_line

_COLUMNS_NAMED = 50
_NAME_CHARACTERS = 80
_PROBLEM_CHARACTERS = 300
_RARE_SHARE = 0.2
"""Answers in another language than the prompt are odd when few rows have them, and a translation task otherwise."""


class TokenMeter(Protocol):
    """Measures rows with a model's tokenizer."""

    def add(self, row: Row, line: int) -> None:
        """Take in the next row."""
        ...

    def stats(self) -> TokenStats:
        """What was measured, scaled up to all rows taken in."""
        ...


def inspect_file(
    path: Path,
    *,
    fields: FieldMap | None = None,
    meter: TokenMeter | None = None,
    on_bytes: OnBytes = lambda count: None,
) -> DataProfile:
    """Profile of a file.

    Args:
        path: The file; its name is kept as it is given.
        fields: How rows are read; None to find out.
        meter: Measures tokens; None to leave them out.
        on_bytes: Told how far it is.

    Raises:
        PlanInvalid: The file cannot be opened, or was changed meanwhile.
    """
    started = time.monotonic()
    file = FilePass(path, fields, on_bytes)
    measured = _Measurements()
    for batch in file.batches():
        measured.add(batch)
        if meter is not None:
            for row in batch:
                meter.add(row.row, row.line)
    has_rows = file.reader.rows > 0
    return DataProfile(
        path=path,
        sha256=file.sha256(),
        size_bytes=file.size_bytes,
        **measured.of_the_file(file.reader, file.problems),
        **(measured.of_the_rows(file.reader.rows) if has_rows else {}),
        tokens=meter.stats() if meter is not None and has_rows else None,
        seconds=round(time.monotonic() - started, 3),
    )


class _Measurements:
    """Everything that is counted while rows pass."""

    def __init__(self) -> None:
        self._traits = TraitCounter()
        self._anomalies = AnomalyCounter()
        self._comparer = RowComparer()
        self._languages = LanguageGuesser()
        self._sensitive = SensitiveScan()

    def add(self, batch: Sequence[RowText]) -> None:
        """Take in the next rows."""
        self._traits.add(batch)
        self._anomalies.add(batch)
        self._comparer.add(batch)
        self._languages.add(batch)
        self._sensitive.add([row.whole for row in batch])

    def of_the_file(self, reader: RowReader, problems: Problems) -> dict[str, Any]:
        """How the file is read and what cannot be: fields of a `DataProfile`."""
        found = [
            BadRow(
                line=p.line, what=self._safe(p.what, _PROBLEM_CHARACTERS), fix=self._safe(p.fix, _PROBLEM_CHARACTERS)
            )
            for p in problems.first
        ]
        notes = list(reader.notes)
        if reader.rows > ROWS_LOOKED_AT:
            notes.append(f"languages are guessed from an evenly spaced sample of up to {ROWS_LOOKED_AT:,} rows")
        return {
            "container": reader.container,
            "compression": reader.compression,
            "encoding": reader.encoding,
            "kind": reader.kind if reader.rows else None,
            "kinds": reader.kinds if reader.rows else (),
            "fields": reader.fields or FieldMap(data_format=""),
            "columns": tuple(self._safe(name, _NAME_CHARACTERS) for name in list(reader.columns)[:_COLUMNS_NAMED]),
            "rows": reader.rows,
            "bad_rows": problems.total,
            "problems": tuple(found),
            "notes": tuple(notes),
        }

    def of_the_rows(self, rows: int) -> dict[str, Any]:
        """What the rows hold: fields of a `DataProfile`."""
        repeats = self._comparer.repeats()
        share, first = self._languages.mismatches()
        self._anomalies.count("conflicting_answers", repeats.conflicting, repeats.first_conflict)
        self._anomalies.count("mixed_languages", round(share * rows) if share <= _RARE_SHARE else 0, first)
        return {
            **self._traits.fields(),
            "exact_duplicates": repeats.exact,
            "duplicates_in_a_row": repeats.in_a_row,
            "near_duplicates": repeats.near,
            "duplicates_method": repeats.method,
            "anomalies": self._anomalies.anomalies(),
            "languages": self._languages.shares(),
            "sensitive": dict(self._sensitive.counts.most_common()),
        }

    def _safe(self, text: str, width: int) -> str:
        """Text that quotes the file, for people: on one line, without secrets."""
        return self._sensitive.redacted(one_line(text, width))
