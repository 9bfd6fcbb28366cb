"""N-grams of one set of rows, and which row of another set shares most of them; memory is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from tcao_tui.data.grams import Grams, Hashes, Indices

MOST_ROWS = 10
"""N-grams of more rows are boilerplate, as those of more than ten documents are for GPT-3."""

GRAMS_KEPT = 8_000_000
"""Beyond so many, 16 bytes each, only n-grams with certain hashes are kept and looked for, the same in both sets."""


class GramIndex:
    """Finds rows by their n-grams.

    Args:
        grams: Hashes in batches, each with the index of its row.
        rows: Number of rows.
        limit: N-grams that are kept.

    Attributes:
        one_in: One in so many n-grams is looked at.
        best_lines: Line of the row that shares most n-grams, by row; 0 when none shares any.
    """

    def __init__(self, grams: Iterable[tuple[Hashes, Indices]], rows: int, limit: int = GRAMS_KEPT) -> None:
        self.one_in = 1
        hashes, owners = np.empty(0, np.uint64), np.empty(0, np.int64)
        for more, whose in grams:
            kept = self._is_looked_at(more)
            hashes, owners = np.concatenate((hashes, more[kept])), np.concatenate((owners, whose[kept]))
            while len(hashes) > limit:
                self.one_in *= 2
                kept = self._is_looked_at(hashes)
                hashes, owners = hashes[kept], owners[kept]
        self._build(hashes, owners)
        self._sizes = np.bincount(self._owners, minlength=rows)
        self._best = np.zeros(rows, np.int64)
        self.best_lines = np.zeros(rows, np.int64)

    def match(self, grams: Grams, lines: Sequence[int]) -> None:
        """Compare with the next rows of the other set, which begin in `lines`."""
        kept = np.flatnonzero(self._is_looked_at(grams.hashes))
        places = np.searchsorted(self._hashes, grams.hashes[kept])
        known = places < len(self._hashes)
        kept, places = kept[known], places[known]
        found = self._hashes[places] == grams.hashes[kept]
        if not found.any():
            return
        theirs, places = grams.owners()[kept[found]], places[found]
        pairs = np.unique(np.stack((theirs, places), axis=1), axis=0)  # an n-gram counts once a row
        self._count(pairs[:, 0], pairs[:, 1], np.array(lines))

    def shares(self) -> npt.NDArray[np.float64]:
        """Largest share of its n-grams that a row has in common with one row of the other set, by row."""
        return self._best / np.maximum(self._sizes, 1)

    def _is_looked_at(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        return hashes & np.uint64(self.one_in - 1) == 0

    def _build(self, hashes: Hashes, owners: Indices) -> None:
        """Sort by hash, drop repeats within a row and n-grams of too many rows."""
        order = np.lexsort((owners, hashes))
        hashes, owners = hashes[order], owners[order]
        repeated = np.zeros(len(hashes), bool)
        repeated[1:] = (hashes[1:] == hashes[:-1]) & (owners[1:] == owners[:-1])
        hashes, owners = hashes[~repeated], owners[~repeated]
        unique, counts = np.unique(hashes, return_counts=True)
        telling = counts <= MOST_ROWS
        self._owners = owners[np.repeat(telling, counts)]
        self._hashes, self._counts = unique[telling], counts[telling]
        self._starts = np.cumsum(self._counts) - self._counts

    def _count(self, theirs: Indices, places: Indices, lines: npt.NDArray[np.int64]) -> None:
        """Credit every row of ours that holds one of the n-grams at `places`, for each of their rows apart."""
        counts = self._counts[places]
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        ours = self._owners[np.repeat(self._starts[places], counts) + offsets]
        pairs, shared = np.unique(np.stack((np.repeat(theirs, counts), ours), axis=1), axis=0, return_counts=True)
        for (their, our), count in zip(pairs.tolist(), shared.tolist(), strict=True):
            if count > self._best[our]:
                self._best[our], self.best_lines[our] = count, lines[their]
