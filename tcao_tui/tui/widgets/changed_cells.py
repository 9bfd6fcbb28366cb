"""Sending only the cells that changed, which over SSH is most of what can be saved.

Textual 8.2.8 crops a partial update on its right side only: everything left of a changed cell is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from textual.strip import Strip

Run = tuple[int, int]
"""First and past-the-last cell of a row."""

_GAP = 8
"""Unchanged cells between two runs that are cheaper to send than another cursor move with its colours."""


class PartialUpdate(Protocol):
    """What is read of Textual's `ChopsUpdate`.

    Attributes:
        chops: For each row, strips by the column they begin at.
        spans: Row, first and past-the-last column of each change.
        chop_ends: For each row, the column after each strip.
    """

    chops: list[Mapping[int, Strip | None]]
    spans: list[tuple[int, int, int]]
    chop_ends: list[list[int]]


def runs_of(changed: Iterable[int]) -> list[Run]:
    """Ascending cell numbers as runs; near ones are joined."""
    runs: list[Run] = []
    for x in changed:
        if runs and x - runs[-1][1] <= _GAP:
            runs[-1] = (runs[-1][0], x + 1)
        else:
            runs.append((x, x + 1))
    return runs


def split_at_changes(update: PartialUpdate) -> None:
    """Split the strips where changes begin, so that what is left of them counts as unchanged."""
    for y, first, _past in update.spans:
        line: dict[int, Strip | None] = {}
        ends: list[int] = []
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < first < end:
                line |= {x: strip.crop(0, first - x), first: strip.crop(first - x, strip.cell_length)}
                ends += [first, end]
            else:
                line[x] = strip
                ends.append(end)
        update.chops[y], update.chop_ends[y] = line, ends
