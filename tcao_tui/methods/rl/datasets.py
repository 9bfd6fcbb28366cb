"""The loop's data: groups of answers to the prompts of a batch, each update's batch a function of the plan alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tinker_cookbook.rl.types import EnvGroupBuilder, RLDataset

from tcao_tui.data.order import BatchOrder
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.methods.loops.groups import Groups
from tcao_tui.methods.rl.problems import Problem

type GroupOf = Callable[[Problem], EnvGroupBuilder]
"""A reward: the group of answers to one prompt, which knows what they are worth."""


class ProblemBatches(RLDataset):
    """Problems in the plan's order; its length is one pass over the file, and every index is the update's number."""

    def __init__(self, problems: Mapping[int, Problem], order: BatchOrder, group_of: GroupOf) -> None:
        self._problems, self._order, self._group_of = problems, order, group_of

    def get_batch(self, index: int) -> Sequence[EnvGroupBuilder]:
        """Groups of the batch that update `index + 1` trains."""
        rows = self._order.batch(DataCursor.after(index, self._order.batches_per_epoch))
        return [self._group_of(self._problems[row]) for row in rows]

    def __len__(self) -> int:
        return self._order.batches_per_epoch


class WatchedBatches(RLDataset):
    """Another dataset whose groups are watched."""

    def __init__(self, batches: RLDataset, groups: Groups) -> None:
        self._batches, self._groups = batches, groups

    def get_batch(self, index: int) -> Sequence[EnvGroupBuilder]:
        """The groups of a batch."""
        return [self._groups.watched(builder) for builder in self._batches.get_batch(index)]

    def __len__(self) -> int:
        return len(self._batches)
