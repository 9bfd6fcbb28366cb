"""Scores of evaluations in lists of checkpoints."""

from __future__ import annotations

import pytest

from tcao_tui.domain.checkpoint_listing import LayerScore, OwnCheckpoint
from tcao_tui.domain.evaluation import CellState
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.services.evaluated_scores import EvaluatedScores
from tcao_tui.store.memory_evaluations import MemoryEvaluations
from tests.fakes.evaluated import evaluated, items, task

TASKS = (task("inspect_evals/mmlu_0_shot", 2), task("tickets"))
OWN = LayerScore(3, "exact", 0.5)


def own(step: int, *, attempt: int = 1) -> OwnCheckpoint:
    return OwnCheckpoint(
        run_id="r",
        run_name="r",
        status=RunStatus.COMPLETED,
        base_model="tiny",
        attempt=attempt,
        step=step,
        scores=(OWN,),
    )


@pytest.fixture
def store() -> MemoryEvaluations:
    made = MemoryEvaluations()
    answers = {name.name: {"tiny": items(10), "r@20": items(100)} for name in TASKS}
    evaluated(made, TASKS, answers)
    return made


def path_of(store: MemoryEvaluations) -> str:
    return next(subject.checkpoint for subject in store.evaluation("e").spec.subjects if subject.checkpoint)


def test_a_finished_cell_scores_both_checkpoints_of_its_step_and_no_other(store: MemoryEvaluations) -> None:
    sampler = path_of(store)
    found = EvaluatedScores(store).added_to({sampler: own(20), "state": own(20), "later": own(20, attempt=2)})
    values = [item.value for item in items(100) if item.value is not None]
    share = sum(values) / len(values)
    expected = (LayerScore(2, TASKS[0].name, share), OWN, LayerScore(3, "tickets", share))
    assert found[sampler].scores == found["state"].scores == expected
    assert found["later"].scores == (OWN,)


def test_a_cell_that_is_not_done_says_nothing_and_is_read_again_once_it_is(store: MemoryEvaluations) -> None:
    sampler, scores = path_of(store), EvaluatedScores(store)
    done = next(cell for cell in store.cells("e") if cell.task == "tickets" and cell.subject == "r@20")
    store.write_cell("e", done.model_copy(update={"state": CellState.RUNNING}), at=1.0)
    assert [score.name for score in scores.added_to({sampler: own(20)})[sampler].scores] == [TASKS[0].name, "exact"]
    store.write_cell("e", done, at=2.0)
    assert len(scores.added_to({sampler: own(20)})[sampler].scores) == 3
