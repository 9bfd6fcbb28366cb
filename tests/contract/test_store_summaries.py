from __future__ import annotations

import math

import pytest

from tcao_tui.domain.events import Finished, Launched, MetricRow, Resumed, Spend, Waiting
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.domain.training_events import StageStarted
from tcao_tui.store.port import RunStore
from tests.contract.conftest import Clock
from tests.fakes.run_records import launch, row, train, validation


def test_the_summary_follows_the_commits(run_1: RunStore, clock: Clock) -> None:
    writer = run_1.writer("run-1")
    writer.commit(events=[Launched(fence=1, pid=1, host="h")])
    assert run_1.run("run-1").status is RunStatus.STARTING
    launch(writer)
    train(writer, 1, 4)
    clock.now = 5000.0
    writer.commit(events=[Waiting(reason="capacity", since=1.0)], metrics=[validation(4, 0.5)])
    summary = run_1.run("run-1")
    assert (summary.status, summary.step, summary.attempt) == (RunStatus.WAITING, 4, 1)
    assert (summary.train_loss, summary.val_loss) == (0.25, 0.5)
    assert (summary.tokens, summary.updated_at) == (40, 5000.0)
    assert summary.cost_usd == pytest.approx(0.04)
    assert run_1.runs() == [summary]
    writer.commit(events=[Finished(outcome="stopped", exit_code=75)])
    assert run_1.run("run-1").recorded_status is RunStatus.STOPPED


def test_a_resume_sets_the_summary_back_to_what_the_checkpoint_was(run_1: RunStore) -> None:
    first = run_1.writer("run-1")
    launch(first)
    first.commit(metrics=[validation(0, 3.0)])
    train(first, 1, 5)
    first.commit(metrics=[validation(5, 0.1)])
    second = run_1.writer("run-1")
    second.commit(events=[Launched(fence=2, pid=1, host="h"), Resumed(step=2, checkpoint="c")])
    summary = run_1.run("run-1")
    assert (summary.step, summary.train_loss, summary.val_loss, summary.attempt) == (2, 0.5, 3.0, 2)
    assert summary.tokens == 50


def numbers(store: RunStore) -> dict[str, float]:
    return dict(store.run("run-1").numbers)


def test_the_summary_keeps_the_last_numbers_that_tell_how_a_training_goes(run_1: RunStore) -> None:
    writer = run_1.writer("run-1")
    launch(writer)
    assert numbers(run_1) == {}
    writer.commit(metrics=[row(1, reward_mean=0.25, tokens_per_second=900.0), row(2, reward_mean=0.5)])
    writer.commit(metrics=[MetricRow(attempt=1, step=2, at=2.0, values={"val_reward": math.inf})])
    assert numbers(run_1) == {"reward_mean": 0.5, "val_reward": math.inf}
    assert run_1.runs()[0].numbers == run_1.run("run-1").numbers
    writer.commit(metrics=[row(3, reward_mean=math.nan)])
    assert math.isnan(numbers(run_1)["reward_mean"])


def test_a_resume_sets_the_numbers_back_too(run_1: RunStore) -> None:
    first = run_1.writer("run-1")
    launch(first)
    first.commit(metrics=[row(step, reward_mean=step / 10) for step in range(1, 6)])
    first.commit(metrics=[MetricRow(attempt=1, step=5, at=5.0, values={"val_reward": 0.4})])
    second = run_1.writer("run-1")
    launch(second, Resumed(step=2, checkpoint="c"))
    assert numbers(run_1) == {"reward_mean": 0.2}
    second.commit(metrics=[row(3, attempt=2, reward_mean=0.9)])
    assert numbers(run_1) == {"reward_mean": 0.9}


def test_a_new_stage_begins_without_numbers(run_1: RunStore) -> None:
    writer = run_1.writer("run-1")
    launch(writer)
    train(writer, 1, 3)
    stage = StageStarted(index=1, name="rl", method="rl", first_step=3, num_steps=4, stages=2)
    writer.commit(events=[stage], metrics=[row(4, reward_mean=0.1)])
    assert numbers(run_1) == {"reward_mean": 0.1}


def test_an_unknown_price_makes_the_cost_unknown_and_never_zero(run_1: RunStore) -> None:
    writer = run_1.writer("run-1")
    writer.commit(spends=[a_spend(1), Spend(kind="sample", step=1, tokens=5, usd=None)])
    writer.commit(spends=[a_spend(2)])
    assert run_1.run("run-1").cost_usd is None
    assert run_1.run("run-1").tokens == 25


def a_spend(step: int) -> Spend:
    return Spend(kind="train", step=step, tokens=10, usd=0.01)
