"""Evaluations as they are asked for, and with answers, written into a store as the driver writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tcao_tui.domain.evaluation import (
    CellRecord,
    CellState,
    Counts,
    EvalTask,
    EvaluationRecord,
    EvaluationSpec,
    ItemResult,
    Subject,
)
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.store.evaluations import EvaluationStore

BASE = Subject(name="tiny", base_model="tiny")
FREE = PriceQuote(backend="http://127.0.0.1", source="test", train_usd=0, prefill_usd=0, sample_usd=0)

type Answers = Mapping[str, Mapping[str, Sequence[ItemResult]]]
"""Items by task and subject name."""


def trained(step: int) -> Subject:
    """The weights of a step of run `r`."""
    return Subject(
        name=f"r@{step}",
        base_model="tiny",
        checkpoint=f"tinker://r/{step}",
        state=f"tinker://s/{step}",
        run_id="r",
        step=step,
    )


def task(name: str, layer: int = 3, **more: object) -> EvalTask:
    """A task of a layer, by name."""
    return EvalTask.model_validate({"name": name, "layer": layer, "target": name, **more})


def items(right: int, count: int = 200, offset: int = 0, lost: int = 0) -> list[ItemResult]:
    """The first `right` items after `offset` are right, the last `lost` ended in an error."""
    return [
        ItemResult(item=str(n), value=None, error="gone")
        if n >= count - lost
        else ItemResult(item=str(n), value=float(offset <= n < offset + right))
        for n in range(count)
    ]


TRAINED = trained(20)


def small_spec(**changes: object) -> EvaluationSpec:
    """Two tasks over the base and a checkpoint of run `r`."""
    tasks = (task("greet"), task("add"))
    spec = EvaluationSpec(title="tiny", profile="local", run_id="r", subjects=(BASE, TRAINED), tasks=tasks)
    return spec.model_copy(update=changes)


def record(evaluation_id: str = "eval-1", *, at: float = 1.0, **changes: object) -> EvaluationRecord:
    """The small evaluation with changes, approved because nothing costs anything."""
    spec = small_spec(**changes)
    return EvaluationRecord(
        evaluation_id=evaluation_id,
        spec=spec,
        approval_hash=spec.approval_hash(FREE),
        approved_by="test",
        approved_how="auto",
        quote=FREE,
        created_at=at,
    )


def cell_of(
    task_name: str, subject: str, found: Sequence[ItemResult], state: CellState = CellState.DONE, at: float = 2.0
) -> CellRecord:
    """A cell with these answers."""
    counts = Counts(
        planned=len(found),
        completed=len(found),
        errored=sum(bool(item.error) for item in found),
        truncated=sum(item.truncated for item in found),
    )
    return CellRecord(task=task_name, subject=subject, state=state, counts=counts, started_at=1.0, ended_at=at)


def write(store: EvaluationStore, evaluation_id: str, answers: Answers, at: float = 2.0) -> None:
    """Finish cells of an evaluation with these answers."""
    for task_name, by_subject in answers.items():
        for subject, found in by_subject.items():
            store.write_cell(evaluation_id, cell_of(task_name, subject, found, at=at), found, at=at)


def evaluated(
    store: EvaluationStore, tasks: Sequence[EvalTask], answers: Answers, evaluation_id: str = "e", at: float = 1.0
) -> None:
    """Ask for an evaluation of run `r` over the base and all weights that have answers, and finish it."""
    names = sorted(
        {name for found in answers.values() for name in found if name != BASE.name}, key=lambda n: int(n[2:])
    )
    subjects = (BASE, *(trained(int(name[2:])) for name in names))
    store.create_evaluation(record(evaluation_id, at=at, title=evaluation_id, tasks=tuple(tasks), subjects=subjects))
    write(store, evaluation_id, answers, at + 1)
