"""Cells that an earlier evaluation finished: the same task over the same weights on one server is not paid twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tcao_tui.domain.evaluation import (
    CellKey,
    CellRecord,
    CellState,
    EvaluationRecord,
    EvaluationSpec,
    ItemResult,
    Usage,
)
from tcao_tui.store.evaluations import EvaluationStore


@dataclass(frozen=True, slots=True)
class Finished:
    """A cell as it is to be taken over; its usage is what it costs here, nothing."""

    evaluation_id: str
    record: CellRecord
    items: Sequence[ItemResult]


def find_finished(store: EvaluationStore, record: EvaluationRecord, key: CellKey) -> Finished | None:
    """The newest finished cell that means the same; None when there is none.

    Args:
        store: The evaluations.
        record: The evaluation that wants it.
        key: Its cell.
    """
    wanted = identities(record.spec)[key]
    for summary in store.evaluations():
        if summary.evaluation_id == record.evaluation_id or not summary.done:
            continue
        other = store.evaluation(summary.evaluation_id)
        if other.spec.profile != record.spec.profile or other.quote.backend != record.quote.backend:
            continue
        same = {theirs for theirs, identity in identities(other.spec).items() if identity == wanted}
        for cell in store.cells(summary.evaluation_id):
            if cell.key in same and cell.state is CellState.DONE:
                return _taken_over(store, summary.evaluation_id, cell, key)
    return None


def identities(spec: EvaluationSpec) -> dict[CellKey, tuple[str, str]]:
    """What each cell means: its task's identity and its subject's."""
    return {
        CellKey(task.name, subject.name): (task.identity, subject.identity)
        for task in spec.tasks
        for subject in spec.subjects
    }


def _taken_over(store: EvaluationStore, evaluation_id: str, cell: CellRecord, key: CellKey) -> Finished:
    log = cell.log if cell.log.startswith("../") or not cell.log else f"../{evaluation_id}/{cell.log}"
    record = cell.model_copy(
        update={"task": key.task, "subject": key.subject, "usage": Usage(), "log": log, "tried": 0}
    )
    return Finished(evaluation_id, record, store.items(evaluation_id, [cell.key])[cell.key])
