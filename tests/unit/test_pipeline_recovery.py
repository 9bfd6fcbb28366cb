"""What a worker keeps and remembers of the stages of a run."""

from __future__ import annotations

import pytest

from tcao_tui.domain.events import CheckpointSaved, Resumed
from tcao_tui.domain.method_params import DistillParams, TeacherSpec
from tcao_tui.domain.pipeline import stage_at, teacher_models
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.stages import Stage
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.domain.training_events import Alert, ArtefactWritten, StageEnded, StageStarted
from tcao_tui.methods.port import Directive
from tcao_tui.worker.orders import Orders, order_of
from tcao_tui.worker.recovery import Lineage, chosen, to_delete
from tests.fakes.run_records import checkpoint

RANK = {2: 3.0, 4: 1.0, 6: 2.0, 8: 9.0, 10: 8.0, 12: 8.5, 14: 8.9}
"""Lower is better; the first stage ends with step 6."""


def lineage(*steps: int, resumes: tuple[tuple[int, int], ...] = ()) -> Lineage:
    found = Lineage()
    for step in steps:
        found.apply(1, CheckpointSaved(checkpoint=checkpoint(step, reason="stage" if step == 6 else "periodic")))
    for attempt, step in resumes:
        found.apply(attempt, Resumed(step=step, checkpoint=""))
    return found


def started(first_step: int) -> StageStarted:
    return StageStarted(index=0, name="s", method="sft", first_step=first_step, num_steps=6, stages=3)


def test_each_stage_keeps_its_own_best() -> None:
    known = lineage(2, 4, 6, 8, 10, 12, 14)
    assert [r.step for r in to_delete(known, RANK, borders=[6, 20])] == [2, 8]
    assert [r.step for r in to_delete(known, RANK)] == [2, 8, 10], "one stage has one best"


@pytest.mark.parametrize(("best", "step"), [(False, 6), (True, 4)])
def test_a_stage_hands_on_its_last_or_its_best_weights(best: bool, step: int) -> None:
    record = chosen(lineage(2, 4, 6, 8), RANK, 0, 6, best=best)
    assert record is not None
    assert record.step == step


def test_weights_that_nobody_validated_are_not_the_best_while_others_were() -> None:
    known = lineage(2, 4, 6)
    assert (found := chosen(known, {2: 5.0, 4: float("nan")}, 0, 6, best=True)) is not None
    assert found.step == 2
    assert (last := chosen(known, {}, 0, 6, best=True)) is not None
    assert last.step == 6
    assert chosen(known, {}, 6, 12, best=False) is None


def test_weights_that_an_attempt_went_back_behind_are_not_handed_on() -> None:
    assert chosen(lineage(2, 6, resumes=((2, 2),)), RANK, 2, 6, best=False) is None


def test_a_stage_that_was_trained_anew_has_not_begun_what_comes_after_it() -> None:
    known = lineage(6)
    known.apply(1, started(0))
    known.apply(1, started(6))
    known.apply(2, Resumed(step=6, checkpoint=""))
    assert known.stage_starts == {0, 6}
    known.apply(3, Resumed(step=4, checkpoint=""))
    assert known.stage_starts == {0}


def test_the_newest_hash_of_a_file_counts() -> None:
    known = lineage()
    for sha256 in ("a", "b"):
        known.apply(1, ArtefactWritten(file="answers", sha256=sha256, rows=1))
    assert known.artefacts == {"answers": "b"}


def plan() -> Plan:
    config = TrainingConfig.model_validate(
        {"base_model": "m", "run_name": "r", "train_file": "t", "learning_rate": 1e-4, "num_steps": 6}
    )
    more = TeacherSpec.model_validate({"model": "small", "prompts_file": "p"})
    taught = DistillParams(teacher_model="big", more_teachers=(more,)).model_dump(mode="json")
    stages = (
        Stage(name="imitate", method="sft"),
        Stage(name="teach", method="distill", set={"distill": taught}),
        Stage(name="again", method="distill", set={"distill": {"teacher_model": "big"}}),
    )
    return Plan(method="pipeline", training=config, stages=stages)


def test_an_update_belongs_to_the_stage_that_it_is_counted_in() -> None:
    assert [stage_at(plan(), step).name for step in (1, 6, 7, 12, 13, 18)] == [
        *["imitate"] * 2,
        *["teach"] * 2,
        *["again"] * 2,
    ]


def test_every_teacher_of_any_stage_is_named_once() -> None:
    assert teacher_models(plan()) == ("big", "small")


def test_an_early_end_stands_until_an_attempt_goes_back_behind_it() -> None:
    known = lineage(2, 4)
    known.apply(1, StageEnded(index=0, name="s", first_step=0, step=4, last_step=6))
    known.apply(1, started(6))
    known.apply(2, Resumed(step=4, checkpoint=""))
    assert known.stages_ended == {0: 4}
    known.apply(3, Resumed(step=2, checkpoint=""))
    assert known.stages_ended == {}


def stopped_early(step: int) -> Alert:
    return Alert(rule="early_stopping", severity="note", step=step, evidence="enough", action="stop")


def test_early_stopping_ends_a_stage_or_with_the_last_one_the_run() -> None:
    asked = [order_of(stopped_early(step), plan()) for step in (4, 8, 16)]
    assert [order.directive for order in asked if order] == [Directive.FINISH, Directive.FINISH, Directive.STOP]


def test_a_stage_that_is_trained_again_is_not_ended_before_the_step_that_was_enough() -> None:
    orders = Orders()
    orders.apply(stopped_early(4))
    assert orders.standing(plan(), 2) is None
    assert (order := orders.standing(plan(), 4)) is not None
    assert order.directive is Directive.FINISH
    orders.apply(StageEnded(index=0, name="s", first_step=0, step=4, last_step=6))
    assert orders.standing(plan(), 4) is None
