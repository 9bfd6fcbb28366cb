"""Settings that people change while batches are on their way: what holds from when, recorded, resumed, replayed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor
from tcao_tui.domain.schedule import learning_rate_at
from tcao_tui.domain.training_config import SettingChange, SettingKey
from tcao_tui.methods.evaluation import Evaluator
from tcao_tui.methods.known_batches import carry_out
from tcao_tui.methods.port import Directive
from tests.unit.test_barrier_loop import PER_EPOCH, Rig


def asked(rig: Rig, after: int, key: SettingKey, value: float) -> Rig:
    rig.context.requests[after] = (key, value)
    return rig


def rates(rig: Rig) -> list[float]:
    return [row.values["learning_rate"] for row in rig.context.rows]


@pytest.mark.parametrize("submit_ahead", [0, 1, 3])
async def test_a_learning_rate_holds_exactly_from_the_next_update_that_is_sent(submit_ahead: int) -> None:
    rig = asked(Rig(submit_ahead=submit_ahead), 2, "learning_rate", 0.1)
    assert await rig.loop.train()
    first = 2 + submit_ahead + 1
    assert [change.step for change in rig.context.changes] == [first]
    assert rates(rig) == [0.5] * (first - 1) + [0.1] * (8 - first + 1)
    assert rig.trainer.rates == rates(rig)


async def test_a_learning_rate_alone_drains_nothing() -> None:
    rig = asked(Rig(submit_ahead=2), 2, "learning_rate", 0.1)
    assert await rig.loop.train()
    assert rig.context.log.count("phase training") == 1


async def test_a_changed_rate_is_the_peak_of_the_schedule() -> None:
    rig = asked(Rig(submit_ahead=0, lr_schedule="linear"), 3, "learning_rate", 0.1)
    assert await rig.loop.train()
    config, changes = rig.context.plan.training, rig.context.changes
    assert rates(rig) == [learning_rate_at(config, step, changes) for step in range(1, 9)]
    assert rates(rig)[4] == pytest.approx(0.1 * (1 - 4 / 8))


@pytest.mark.parametrize("submit_ahead", [0, 2])
@pytest.mark.parametrize(("before", "after"), [(0, 2), (8, 2), (2, 3), (1, 2), (3, 1)])
async def test_evals_come_at_the_new_cadence_from_the_first_update_sent_with_it(
    submit_ahead: int, before: int, after: int
) -> None:
    rig = asked(Rig(submit_ahead=submit_ahead, eval_every=before), 2, "eval_every", after)
    assert await rig.loop.train()
    change = rig.context.changes[0].step
    every = {step: before if step < change else after for step in range(1, 8)}
    assert [step for step, _ in rig.evaluated] == [step for step, n in every.items() if n and step % n == 0]
    assert all(step == applied for step, applied in rig.evaluated)
    assert rig.trainer.applied == rig.planned(8)


async def test_evals_can_be_switched_off() -> None:
    rig = asked(Rig(submit_ahead=0, eval_every=2), 3, "eval_every", 0)
    assert await rig.loop.train()
    assert rig.evaluated == [(2, 2)]


@pytest.mark.parametrize("step", [0, 3, 5])
async def test_a_replay_and_a_resume_repeat_what_was_changed(step: int) -> None:
    changed = asked(Rig(submit_ahead=2, eval_every=4), 1, "learning_rate", 0.1)
    asked(changed, 2, "eval_every", 3)
    assert await changed.loop.train()
    again = Rig(step=step, submit_ahead=2, eval_every=4, changes=tuple(changed.context.changes))
    assert await again.loop.train()
    assert rates(again) == rates(changed)[step:]
    assert again.evaluated == [pair for pair in changed.evaluated if pair[0] > step]


class Evals:
    """An `Evaluator` that notes what it is asked."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    async def evaluate(self, step: int, *, with_score: bool) -> None:
        self.steps.append(step)


async def resumed(step: int, reason: CheckpointReason, *, measured: bool = False, **options: Any) -> list[int]:
    """Steps at which a run that goes on from such a checkpoint is evaluated."""
    rig, evals = Rig(step=step, **options), Evals()
    cursor = DataCursor.after(step, PER_EPOCH)
    context = rig.context
    context.resume_point = CheckpointRecord(
        name="c", attempt=1, step=step, cursor=cursor, reason=reason, state_path="tinker://c"
    )
    context.measured = {step} if measured else set()
    trainer, evaluator = cast("Any", rig.trainer), cast("Evaluator", evals)
    await carry_out(context, trainer, rig.advance, evaluator, batches_per_epoch=PER_EPOCH)
    return evals.steps


async def test_an_eval_that_a_stop_left_out_is_made_up_for_and_none_is_taken_twice() -> None:
    assert await resumed(4, "stop", eval_every=2) == [4, 6, 8]
    assert await resumed(4, "stop", eval_every=2, measured=True) == [6, 8]
    assert await resumed(4, "pause", eval_every=2, measured=True) == [6, 8]
    assert await resumed(3, "stop", eval_every=2) == [4, 6, 8]


async def test_what_was_due_at_a_stop_is_judged_by_the_cadence_then_in_force() -> None:
    change = SettingChange(step=4, key="eval_every", value=2)
    assert await resumed(4, "stop", eval_every=3, changes=(change,)) == [4, 6, 8]
    assert await resumed(3, "stop", eval_every=2, changes=(SettingChange(step=3, key="eval_every", value=3),)) == [
        3,
        6,
        8,
    ]


async def test_the_eval_at_the_end_of_a_pilot_is_made_up_for_too() -> None:
    assert await resumed(4, "stop", eval_every=0, pilot=4) == [4, 8]


async def test_a_watch_rule_that_stops_after_an_eval_is_obeyed_at_that_step() -> None:
    rig = Rig(submit_ahead=2, eval_every=3)
    rig.on_eval = lambda step: rig.context.script.update({step: Directive.STOP})
    assert not await rig.loop.train()
    assert rig.done == ["step 1", "step 2", "step 3", "eval 3", "save 3 stop"]
