"""Evaluations by real processes on the engine: drained, cancelled, capped, taken over, refused by their task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tcao_tui.domain.evaluation import CellState
from tcao_tui.errors import Refused
from tcao_tui.services.evaluations import end_evaluation, is_driven, resume_evaluation
from tests.fakes.live_evaluation import CONNECTIONS, LiveEvaluation, Place, slow_place

pytestmark = pytest.mark.timeout(600)

SAMPLES = 80


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with slow_place(tmp_path_factory.mktemp("evals")) as found:
        yield found


def end(evaluation: LiveEvaluation, verb: Literal["drain", "cancel"]) -> bool:
    return end_evaluation(evaluation.place.store.evaluations, evaluation.place.runs, evaluation.id, verb, by="test")


def test_drained_it_lets_what_is_under_way_end_and_goes_on_later_without_asking_again(place: Place) -> None:
    evaluation = LiveEvaluation(place, SAMPLES, "drained")
    with pytest.raises(Refused, match="is being carried out already"):
        resume_evaluation(place.runs, evaluation.id, by="another")
    evaluation.wait_for_answers(4)
    assert end(evaluation, "drain")
    evaluation.wait()
    cell = evaluation.cell
    assert cell.state is CellState.PARTIAL
    assert cell.counts.completed == evaluation.answers < SAMPLES
    assert len(evaluation.items) == cell.counts.completed
    assert "not asked for" in cell.problem
    assert cell.next_step == f"tcao eval resume {evaluation.id}"
    assert not end(evaluation, "drain")
    evaluation.resume()
    evaluation.finish()
    assert (evaluation.asked, evaluation.answers, len(evaluation.items)) == (SAMPLES, SAMPLES, SAMPLES)
    again = LiveEvaluation(place, SAMPLES, "again", version="drained")
    again.finish()
    assert again.asked == 0
    assert again.items == evaluation.items
    assert again.cell.usage.output_tokens == 0
    assert (place.runs / "_evals" / again.id / again.cell.log).is_file()


@pytest.mark.slow
def test_cancelled_it_ends_at_once_and_keeps_its_answers(place: Place) -> None:
    evaluation = LiveEvaluation(place, SAMPLES, "cancelled")
    evaluation.wait_for_answers(4)
    assert end(evaluation, "cancel")
    evaluation.wait()
    assert evaluation.cell.state is CellState.CANCELLED
    assert evaluation.cell.process is None
    kept = evaluation.answers
    assert 4 <= kept < SAMPLES
    evaluation.resume()
    evaluation.finish()
    assert evaluation.answers == SAMPLES
    assert evaluation.asked <= SAMPLES + CONNECTIONS
    assert len(evaluation.items) == SAMPLES


@pytest.mark.slow
def test_a_task_that_cannot_be_loaded_fails_with_its_reason_and_is_not_tried_again(
    place: Place, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from inspect_ai import task\n\n@task\ndef sums(**given):\n    raise ValueError('no rows here')\n"
    )
    evaluation = LiveEvaluation(place, 4, "broken", target=f"{broken}@sums")
    evaluation.wait()
    assert evaluation.cell.state is CellState.FAILED
    assert "no rows here" in evaluation.cell.problem
    assert evaluation.cell.next_step
    assert evaluation.cell.tried == 1
    assert not is_driven(place.runs, evaluation.id)
