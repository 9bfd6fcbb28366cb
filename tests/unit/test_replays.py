"""What a resume repeats: told for methods that sample, with a bound where they sample ahead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.replays import replays_of

TRAINING = {
    "base_model": "m",
    "run_name": "r",
    "train_file": Path("/t"),
    "num_steps": 10,
    "max_seq_len": 64,
    "learning_rate": 1e-4,
}


def plan_of(method: str, **sections: Any) -> Plan:
    return Plan.model_validate({"method": method, "training": TRAINING, **sections})


def point(step: int, reason: CheckpointReason = "periodic") -> CheckpointRecord:
    cursor = DataCursor(epoch=0, batch=step)
    return CheckpointRecord(name="n", attempt=1, step=step, cursor=cursor, reason=reason, state_path="tinker://x")


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_methods_that_sample_nothing_repeat_everything(method: str) -> None:
    assert replays_of(plan_of(method), point(4)).what == ""


def test_answers_are_drawn_anew_for_the_same_prompts() -> None:
    found = replays_of(plan_of("rl"), point(4, "stop"))
    assert (found.what, found.batches) == ("prompts are repeated exactly, answers are drawn anew", 0)


@pytest.mark.parametrize(("reason", "batches"), [("periodic", 0), ("stop", 3), ("pause", 3), ("requested", 3)])
def test_only_a_checkpoint_that_cut_into_what_was_sampled_ahead_has_a_bound(
    reason: CheckpointReason, batches: int
) -> None:
    found = replays_of(plan_of("rl", rl={"max_steps_off_policy": 3}), point(4, reason))
    assert found.batches == batches
    assert ("up to 3 batches" in found.what) == bool(batches)


def test_of_a_pipeline_the_stage_that_goes_on_decides() -> None:
    plan = plan_of("rlhf", rlhf={"reward_steps": 10, "rl_steps": 10})
    assert [bool(replays_of(plan, point(step)).what) for step in (0, 9, 10, 19, 20, 25)] == [False] * 4 + [True] * 2
    assert not replays_of(plan, None).what
