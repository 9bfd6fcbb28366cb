"""The contract of the store of evaluations: what was asked for, how far each cell is, and every item's result.

They stand in the same database as the runs. The process that drives an evaluation is the only writer of its cells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tcao_tui.domain.evaluation import CellKey, CellRecord, Choice, EvaluationRecord, ItemResult


@dataclass(frozen=True, slots=True)
class EvaluationSummary:
    """One evaluation in a list; times are Unix seconds.

    Attributes:
        cells, done: How many cells there are, and how many of them are done.
        changes: Grows with every write to it.
    """

    evaluation_id: str
    title: str
    run_id: str
    cells: int
    done: int
    created_at: float
    updated_at: float
    changes: int


class EvaluationStore(Protocol):
    """All evaluations below one runs root."""

    def create_evaluation(self, record: EvaluationRecord) -> None:
        """Make it known, each cell waiting. Raises `Refused` when the id is taken."""
        ...

    def evaluation(self, evaluation_id: str) -> EvaluationRecord:
        """What was asked for. Raises `UsageError` that names the nearest ids when there is none."""
        ...

    def evaluations(self, *, run_id: str | None = None, limit: int = 1_000) -> list[EvaluationSummary]:
        """All, or those of a run, the newest first."""
        ...

    def cells(self, evaluation_id: str) -> list[CellRecord]:
        """The cells, task by task in the order of the spec. Raises `UsageError` when there is no such evaluation."""
        ...

    def write_cell(self, evaluation_id: str, cell: CellRecord, items: Sequence[ItemResult] = (), *, at: float) -> None:
        """Replace a cell, and add or replace items of it, all or nothing.

        Args:
            evaluation_id: The evaluation.
            cell: As it is now.
            items: New results; an item that is there already gets the new one.
            at: Unix seconds.

        Raises:
            UsageError: There is no such evaluation or cell.
        """
        ...

    def items(
        self, evaluation_id: str, cells: Collection[CellKey] | None = None
    ) -> Mapping[CellKey, Sequence[ItemResult]]:
        """Results of some cells, or of all, each in the order in which they came first."""
        ...

    def choose(self, choice: Choice) -> None:
        """Record a person's choice of weights."""
        ...

    def choices(self, run_id: str) -> list[Choice]:
        """All choices of a run, the newest last."""
        ...
