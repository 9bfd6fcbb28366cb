"""Reinforcement learning through the cookbook's loops and the real SDK on a real engine with a random model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tcao_tui.domain.events import DataLoaded, LogLine, RunEvent
from tcao_tui.domain.training_config import SettingKey
from tcao_tui.domain.training_events import RolloutsTaken
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.port import Directive
from tcao_tui.store.rollout_files import read_rollouts
from tests.fakes.engine_process import EngineProcess
from tests.fakes.recording_context import RecordingContext
from tests.fakes.rl_lab import BATCH, GROUP, carry_out, make_plan, write_problems


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(engine: EngineProcess, directory: Path) -> RecordingContext:
    """An uninterrupted run on policy, with everything that is measured in between."""
    held_out = write_problems(directory / "val.jsonl", 3, first=100)
    plan = make_plan(directory, val_file=held_out, eval_every=2, save_every=2, lr_schedule="linear")
    return asyncio.run(carry_out(engine, plan, directory))


def test_every_update_is_recorded_before_the_checkpoint_that_holds_it(whole: RecordingContext) -> None:
    assert [line for line in whole.log if line.split()[0] in {"step", "row", "save", "rollouts"}] == [
        "row 0",
        "step 1",
        "rollouts 1",
        "step 2",
        "rollouts 2",
        "row 2",
        "save 2 periodic",
        "step 3",
        "rollouts 3",
        "step 4",
        "rollouts 4",
        "save 4 final",
        "row 4",
    ]
    assert whole.trained == [(0, 0), (0, 1), (0, 2), (1, 0)]
    loaded = next(event for event in whole.events if isinstance(event, DataLoaded))
    assert (loaded.train_rows, loaded.val_rows, loaded.batches_per_epoch) == (7, 3, 3)


def test_the_answers_of_each_update_lie_in_a_file_with_what_they_earned(
    whole: RecordingContext, directory: Path
) -> None:
    taken = [event for event in whole.events if isinstance(event, RolloutsTaken)]
    assert [(event.step, event.groups, event.answers) for event in taken] == [
        (step, BATCH, BATCH * GROUP) for step in (1, 2, 3, 4)
    ]
    means, unequal = whole.series("reward_mean"), whole.series("zero_advantage_share")
    for event in taken:
        groups = list(read_rollouts(directory, event.step))
        answers = [answer for group in groups for answer in group.answers]
        assert fmean(answer.reward for answer in answers) == pytest.approx(means[event.step]) == event.mean_reward
        assert fmean(group.advantage_free for group in groups) == unequal[event.step]
        assert all(
            group.prompt.endswith(f"say {group.reference}<|im_end|>\n<|im_start|>assistant\n") for group in groups
        )
        assert {answer.stop for answer in answers} <= {"stop", "length"}


def test_rows_have_our_names_and_the_plans_learning_rate(whole: RecordingContext) -> None:
    assert whole.series("learning_rate") == pytest.approx({1: 1e-3, 2: 7.5e-4, 3: 5e-4, 4: 2.5e-4})
    for key in ("entropy", "kl_sample_train", "truncated_share", "answer_tokens", "step_seconds", "sampled_tokens"):
        assert list(whole.series(key)) == [1, 2, 3, 4], key
    assert all(abs(value) < 1e-3 for value in whole.series("kl_sample_train").values())
    assert list(whole.series("val_reward")) == [0, 2, 4]
    assert whole.series("epoch") == {1: 0, 2: 0, 3: 0, 4: 1}


def test_every_token_is_in_the_ledger(whole: RecordingContext) -> None:
    trained = {step: int(tokens) for step, tokens in whole.series("num_tokens").items()}
    assert {spend.step: spend.tokens for spend in whole.spends if spend.kind == "train"} == trained
    sampled = {spend.step: spend.tokens for spend in whole.spends if spend.kind == "sample" and spend.step in (1, 3)}
    assert sampled == {step: int(whole.series("sampled_tokens")[step]) for step in (1, 3)}
    assert all(spend.usd == 0 for spend in whole.spends)


async def test_a_resumed_run_asks_the_remaining_prompts_in_their_order(
    engine: EngineProcess, whole: RecordingContext, tmp_path: Path
) -> None:
    plan = make_plan(tmp_path)
    first = await carry_out(engine, plan, tmp_path, script={2: Directive.STOP})
    assert [(c.step, c.reason) for c in first.checkpoints] == [(2, "stop")]
    asked = {step: [group.reference for group in read_rollouts(tmp_path, step)] for step in (1, 2)}
    second = await carry_out(engine, plan, tmp_path, resume_point=first.checkpoints[0], attempt=2)
    assert first.trained + second.trained == whole.trained
    asked |= {step: [group.reference for group in read_rollouts(tmp_path, step)] for step in (3, 4)}
    assert len({reference for step in (1, 2, 3) for reference in asked[step]}) == 6


@pytest.mark.parametrize(
    "rl",
    [
        {"loss_fn": "ppo", "num_substeps": 2},
        {"loss_fn": "cispo", "remove_constant_reward_groups": True},
        {"kl_penalty_coef": 0.1, "temperature": 0.7},
    ],
    ids=["ppo", "cispo", "kl"],
)
async def test_losses_and_penalties_of_the_plan_are_trained(
    engine: EngineProcess, tmp_path: Path, rl: dict[str, Any]
) -> None:
    context = await carry_out(engine, make_plan(tmp_path, rl=rl, num_steps=2), tmp_path)
    assert context.trained == [(0, 0), (0, 1)]
    assert bool(context.series("kl_reference")) == ("kl_penalty_coef" in rl)


async def test_answers_of_groups_that_are_left_out_are_paid_for(engine: EngineProcess, tmp_path: Path) -> None:
    rl = {"grader": "exact", "remove_constant_reward_groups": True}
    context = await carry_out(engine, make_plan(tmp_path, rl=rl, num_steps=1), tmp_path)
    assert context.series("zero_advantage_share") == {1: 1.0}
    [sampled] = [spend.tokens for spend in context.spends if spend.kind == "sample"]
    [group, *_] = read_rollouts(tmp_path, 1)
    assert context.series("sampled_tokens")[1] == sum(answer.tokens for answer in group.answers)
    assert sampled == sum(answer.tokens for each in read_rollouts(tmp_path, 1) for answer in each.answers)


async def test_sampling_ahead_trains_every_prompt_once_and_says_how_stale(
    engine: EngineProcess, tmp_path: Path
) -> None:
    plan = make_plan(tmp_path, rl={"max_steps_off_policy": 2, "loss_fn": "ppo"}, num_steps=6, save_every=3)
    context = await carry_out(engine, plan, tmp_path)
    assert [line for line in context.log if line.startswith(("step", "save"))] == [
        *(f"step {step}" for step in (1, 2, 3)),
        "save 3 periodic",
        *(f"step {step}" for step in (4, 5, 6)),
        "save 6 final",
    ]
    for steps in ((1, 2, 3), (4, 5, 6)):
        asked = [group.reference for step in steps for group in read_rollouts(tmp_path, step)]
        assert len(set(asked)) == len(asked) == 6
    stale = context.series("staleness")
    assert stale[1] == stale[4] == 0
    assert 0 < max(stale.values()) <= 2
    assert any("up to 2" in event.message for event in context.events if isinstance(event, LogLine))


@pytest.mark.parametrize("ahead", [0, 1])
async def test_a_stop_ends_after_the_update_that_was_under_way(
    engine: EngineProcess, tmp_path: Path, ahead: int
) -> None:
    plan = make_plan(tmp_path, rl={"max_steps_off_policy": ahead}, num_steps=50)
    tasks = len(asyncio.all_tasks())
    context = await carry_out(engine, plan, tmp_path, script={2: Directive.STOP})
    [saved] = context.checkpoints
    assert (saved.step, saved.reason) == (len(context.trained), "stop")
    assert 2 <= saved.step <= 2 + ahead
    assert len(asyncio.all_tasks()) == tasks


@pytest.mark.parametrize("ahead", [0, 1])
async def test_settings_that_a_person_changes_hold_from_the_next_update(
    engine: EngineProcess, tmp_path: Path, ahead: int
) -> None:
    held_out = write_problems(tmp_path / "val.jsonl", 3, first=100)
    plan = make_plan(tmp_path, rl={"max_steps_off_policy": ahead}, num_steps=6, val_file=held_out, eval_every=5)
    wanted: dict[int, tuple[SettingKey, float]] = {1: ("learning_rate", 5e-4), 2: ("eval_every", 2)}
    context = await carry_out(engine, plan, tmp_path, requests=wanted)
    rate, cadence = context.changes
    assert (rate.key, cadence.key) == ("learning_rate", "eval_every")
    assert rate.step == 2
    assert context.series("learning_rate") == {step: 1e-3 if step < 2 else 5e-4 for step in range(1, 7)}
    due = [step for step in range(1, 6) if (step % 2 == 0 if step >= cadence.step else step % 5 == 0)]
    assert list(context.series("val_reward")) == [0, *due, 6]
    assert len(context.trained) == 6


@pytest.mark.parametrize("ahead", [0, 1])
async def test_cancelled_it_leaves_nothing_running(engine: EngineProcess, tmp_path: Path, ahead: int) -> None:
    plan = make_plan(tmp_path, rl={"max_steps_off_policy": ahead}, num_steps=50)
    tasks = asyncio.all_tasks()
    stepped = asyncio.Event()

    def on_event(event: RunEvent) -> None:
        if isinstance(event, RolloutsTaken):
            stepped.set()

    run = asyncio.create_task(carry_out(engine, plan, tmp_path, on_event=on_event))
    await stepped.wait()
    run.cancel()
    await asyncio.wait([run])
    assert run.cancelled()
    assert asyncio.all_tasks() == tasks


async def test_a_grader_that_fails_is_told_once_and_earns_nothing(engine: EngineProcess, tmp_path: Path) -> None:
    rl = {"grader": "python:tests.fakes.own_grader:broken"}
    context = await carry_out(engine, make_plan(tmp_path, rl=rl, num_steps=2), tmp_path)
    assert context.series("unscored") == {1: 1.0, 2: 1.0}
    told = [event.message for event in context.events if isinstance(event, LogLine)]
    assert len(told) == 1
    assert "KeyError" in told[0]


async def test_answers_that_cannot_be_kept_on_disk_do_not_end_the_training(
    engine: EngineProcess, tmp_path: Path
) -> None:
    taken = tmp_path / "a file"
    taken.write_text("")
    context = await carry_out(engine, make_plan(tmp_path, num_steps=2), taken)
    assert len(context.trained) == 2
    [told] = [event.message for event in context.events if isinstance(event, LogLine)]
    assert "answers are not kept on disk" in told


async def test_a_prompt_that_leaves_no_room_for_an_answer_is_named(engine: EngineProcess, tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match=r"train\.jsonl:1: its prompt has \d+ tokens"):
        await carry_out(engine, make_plan(tmp_path, max_seq_len=20), tmp_path)
