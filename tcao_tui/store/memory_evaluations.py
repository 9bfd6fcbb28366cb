"""The evaluations of the memory store, with the contract of the real one; nothing survives the process."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState, Choice, EvaluationRecord, ItemResult
from tcao_tui.store.evaluation_rows import evaluation_taken, place_of, places, unknown_evaluation
from tcao_tui.store.evaluations import EvaluationSummary


@dataclass(slots=True)
class _Evaluation:
    record: EvaluationRecord
    places: dict[CellKey, int]
    cells: dict[CellKey, CellRecord]
    items: dict[CellKey, dict[str, ItemResult]]
    updated_at: float
    changes: int = 0

    @property
    def summary(self) -> EvaluationSummary:
        record = self.record
        done = sum(cell.state is CellState.DONE for cell in self.cells.values())
        return EvaluationSummary(
            evaluation_id=record.evaluation_id,
            title=record.spec.title,
            run_id=record.spec.run_id,
            cells=len(self.cells),
            done=done,
            created_at=record.created_at,
            updated_at=self.updated_at,
            changes=self.changes,
        )


class MemoryEvaluations:
    """An `EvaluationStore`; for one thread."""

    def __init__(self) -> None:
        self._evaluations: dict[str, _Evaluation] = {}
        self._choices: list[Choice] = []

    def create_evaluation(self, record: EvaluationRecord) -> None:
        """Make it known, each cell waiting. Raises `Refused` when the id is taken."""
        if record.evaluation_id in self._evaluations:
            raise evaluation_taken(record.evaluation_id)
        keys = places(record.spec)
        self._evaluations[record.evaluation_id] = _Evaluation(
            record=record,
            places=keys,
            cells={key: CellRecord(task=key.task, subject=key.subject) for key in keys},
            items={key: {} for key in keys},
            updated_at=record.created_at,
        )

    def evaluation(self, evaluation_id: str) -> EvaluationRecord:
        """What was asked for. Raises `UsageError` that names the nearest ids when there is none."""
        return self._known(evaluation_id).record

    def evaluations(self, *, run_id: str | None = None, limit: int = 1_000) -> list[EvaluationSummary]:
        """All, or those of a run, the newest first."""
        found = [one.summary for one in reversed(self._evaluations.values())]
        found = [one for one in found if run_id is None or one.run_id == run_id]
        return sorted(found, key=lambda one: one.created_at, reverse=True)[:limit]

    def cells(self, evaluation_id: str) -> list[CellRecord]:
        """The cells, task by task in the order of the spec. Raises `UsageError` when there is no such evaluation."""
        return list(self._known(evaluation_id).cells.values())

    def write_cell(self, evaluation_id: str, cell: CellRecord, items: Sequence[ItemResult] = (), *, at: float) -> None:
        """Replace a cell, and add or replace items of it; see `EvaluationStore`."""
        known = self._known(evaluation_id)
        place_of(known.places, evaluation_id, cell.key)
        known.cells[cell.key] = cell
        known.items[cell.key] |= {found.item: found for found in items}
        known.updated_at, known.changes = at, known.changes + 1

    def items(
        self, evaluation_id: str, cells: Collection[CellKey] | None = None
    ) -> Mapping[CellKey, Sequence[ItemResult]]:
        """Results of some cells, or of all, each in the order in which they came first."""
        known = self._known(evaluation_id)
        wanted = known.items if cells is None else cells
        for key in wanted:
            place_of(known.places, evaluation_id, key)
        return {key: list(known.items[key].values()) for key in wanted}

    def choose(self, choice: Choice) -> None:
        """Record a person's choice of weights."""
        self._choices.append(choice)

    def choices(self, run_id: str) -> list[Choice]:
        """All choices of a run, the newest last."""
        return [choice for choice in self._choices if choice.run_id == run_id]

    def _known(self, evaluation_id: str) -> _Evaluation:
        if evaluation_id not in self._evaluations:
            raise unknown_evaluation(evaluation_id, self._evaluations)
        return self._evaluations[evaluation_id]
