"""Which columns rows have and how often, counted by whole sets of names so that a row costs one look-up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

_SETS = 1000
_NAME_CHARACTERS = 2**20


class ColumnCounts:
    """Counts of columns; sets beyond the first thousand, or of names without end, are left out."""

    def __init__(self) -> None:
        self._sets: dict[tuple[str, ...], int] = {}
        self._characters = 0

    def add(self, row: Mapping[str, object]) -> None:
        """Count one row."""
        names = tuple(row)
        if names in self._sets:
            self._sets[names] += 1
            return
        self._characters += sum(map(len, names)) + len(names)
        if len(self._sets) < _SETS and self._characters <= _NAME_CHARACTERS:
            self._sets[names] = 1

    def by_frequency(self) -> dict[str, int]:
        """Columns and in how many rows each was seen, most frequent first."""
        counts: Counter[str] = Counter()
        for names, rows in self._sets.items():
            counts.update(dict.fromkeys(names, rows))
        return dict(counts.most_common())
