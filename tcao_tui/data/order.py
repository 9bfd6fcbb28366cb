"""Which rows make up which batch: a pure function of row count, batch size and seed, so that a resume is exact."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from typing import Protocol

from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.errors import PlanInvalid


def epoch_order(rows: int, seed: int, epoch: int) -> array[int]:
    """Row indices in the order of one epoch, each once."""
    indices = array("L", range(rows))
    random.Random(f"{seed}:{epoch}").shuffle(indices)
    return indices


class Order(Protocol):
    """Batches of all epochs, each of which has the same number of them."""

    @property
    def batches_per_epoch(self) -> int:
        """Batches of one pass over the rows."""
        ...

    def batch(self, cursor: DataCursor) -> Sequence[int]:
        """Row indices of the batch at `cursor`."""
        ...


class TokenOrder:
    """Batches of about as many tokens: the rows of an epoch in their order, cut at every multiple of the budget.

    A batch exceeds the budget by less than its last row, and none is empty. As with `BatchOrder`, what is left at the
    end of an epoch and fills no batch is left out of it. A budget below the longest row counts as that row.

    Args:
        lengths: Tokens of each row.
        batch_tokens: Tokens per batch.
        seed: The plan's seed.
    """

    def __init__(self, lengths: Sequence[int], batch_tokens: int, seed: int) -> None:
        self._lengths, self._seed = lengths, seed
        self._budget = max(batch_tokens, *lengths)
        self.batches_per_epoch = max(1, sum(lengths) // self._budget)
        self._epoch = -1
        self._batches: list[list[int]] = []

    def batch(self, cursor: DataCursor) -> Sequence[int]:
        """Row indices of the batch at `cursor`."""
        if cursor.epoch != self._epoch:
            self._batches, self._epoch = self._cut(cursor.epoch), cursor.epoch
        return self._batches[cursor.batch]

    def _cut(self, epoch: int) -> list[list[int]]:
        batches: list[list[int]] = [[] for _ in range(self.batches_per_epoch)]
        before = 0
        for row in epoch_order(len(self._lengths), self._seed, epoch):
            if (number := before // self._budget) == self.batches_per_epoch:
                break
            batches[number].append(row)
            before += self._lengths[row]
        return batches


class BatchOrder:
    """Batches of all epochs; the remainder of an epoch that fills no batch is left out of it.

    Args:
        rows: Rows of the training file.
        batch_size: Rows per batch.
        seed: The plan's seed.

    Raises:
        PlanInvalid: There are fewer rows than one batch holds.
    """

    def __init__(self, rows: int, batch_size: int, seed: int) -> None:
        if rows < batch_size:
            raise PlanInvalid(
                f"{rows} training rows do not fill one batch of {batch_size}",
                where="training.train_batch_size",
                next_step=f"set train_batch_size to {max(rows, 1)} or less, or add rows",
            )
        self.rows = rows
        self.batch_size = batch_size
        self.seed = seed
        self.batches_per_epoch = rows // batch_size
        self._epoch = -1
        self._order: array[int] = array("L")

    def batch(self, cursor: DataCursor) -> Sequence[int]:
        """Row indices of the batch at `cursor`."""
        if cursor.epoch != self._epoch:
            self._order = epoch_order(self.rows, self.seed, cursor.epoch)
            self._epoch = cursor.epoch
        start = cursor.batch * self.batch_size
        return self._order[start : start + self.batch_size]

    def rows_used(self, steps: int) -> set[int] | None:
        """Rows that the first `steps` batches train; None, for all, once they reach past the first epoch."""
        if steps > self.batches_per_epoch:
            return None
        return set(epoch_order(self.rows, self.seed, 0)[: steps * self.batch_size])
