"""How evaluations look in tables: the places of cells, items as rows, and the errors that both stores tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tcao_tui.domain.evaluation import CellKey, EvaluationSpec, ItemResult
from tcao_tui.errors import Refused, UsageError
from tcao_tui.store.unknown import unknown

ITEM_COLUMNS = "item, value, cluster, truncated, error, epochs, tokens"

type Row = tuple[Any, ...]


def places(spec: EvaluationSpec) -> dict[CellKey, int]:
    """Each cell's place, task by task, counted from 0."""
    keys = [CellKey(task.name, subject.name) for task in spec.tasks for subject in spec.subjects]
    return {key: place for place, key in enumerate(keys)}


def item_row(found: ItemResult) -> Row:
    """A result in the order of `ITEM_COLUMNS`."""
    return found.item, found.value, found.cluster, found.truncated, found.error, found.epochs, found.tokens


def read_item(row: Row) -> ItemResult:
    """A result from a row in the order of `ITEM_COLUMNS`; what is read was checked when it was written."""
    item, value, cluster, truncated, error, epochs, tokens = row
    return ItemResult.model_construct(
        item=item,
        value=value,
        cluster=cluster,
        truncated=bool(truncated),
        error=error,
        epochs=epochs,
        tokens=tokens,
    )


def place_of(spec_places: dict[CellKey, int], evaluation_id: str, key: CellKey) -> int:
    """The place of a cell. Raises `UsageError` when the evaluation has no such cell."""
    if key not in spec_places:
        raise UsageError(
            f"{evaluation_id} has no cell {key.task} over {key.subject}", next_step=f"tcao eval show {evaluation_id}"
        )
    return spec_places[key]


def evaluation_taken(evaluation_id: str) -> Refused:
    """The error for an id that is in use."""
    return Refused(f"there is an evaluation {evaluation_id} already", next_step=f"tcao eval resume {evaluation_id}")


def unknown_evaluation(evaluation_id: str, known: Iterable[str]) -> UsageError:
    """The error for an evaluation that is not there, with the ids that look like it."""
    return unknown("no evaluation", evaluation_id, known, next_step="tcao eval ls")
