"""Schedules, token budgets and starting weights of SFT, through the real SDK on a real engine with a random model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tinker_cookbook.utils.lr_scheduling import LRSchedule, compute_schedule_lr_multiplier

from tcao_tui.domain.schedule import learning_rate_at
from tcao_tui.domain.training_config import SettingChange
from tcao_tui.methods.port import Directive
from tests.contract.test_sft_method import carry_out, make_plan
from tests.fakes.engine_process import EngineProcess


@pytest.mark.parametrize("shape", ["constant", "linear", "cosine"])
def test_the_schedule_is_the_cookbooks(tmp_path: Path, shape: LRSchedule) -> None:
    config = make_plan(tmp_path, num_steps=17, lr_schedule=shape).training
    for step in range(1, 18):
        wanted = config.learning_rate * compute_schedule_lr_multiplier(shape, step - 1, 17)
        assert learning_rate_at(config, step) == pytest.approx(wanted)


def test_a_warm_up_rises_to_the_peak_and_a_change_moves_the_peak(tmp_path: Path) -> None:
    config = make_plan(tmp_path, num_steps=20, warmup_steps=4, lr_schedule="linear", learning_rate=0.08).training
    assert [learning_rate_at(config, step) for step in (1, 2, 4)] == pytest.approx([0.02, 0.04, 0.08])
    assert learning_rate_at(config, 5) == pytest.approx(0.08)
    change = SettingChange(step=10, key="learning_rate", value=0.04)
    assert learning_rate_at(config, 13, [change]) == pytest.approx(learning_rate_at(config, 13) / 2)
    assert learning_rate_at(config, 9, [change]) == learning_rate_at(config, 9)


async def test_a_scheduled_run_with_a_token_budget_resumes_exactly(engine: EngineProcess, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"batch_tokens": 40, "lr_schedule": "cosine", "warmup_steps": 2, "grad_clip_norm": 0.5}
    whole = await carry_out(engine, make_plan(tmp_path, **settings))
    first = await carry_out(engine, make_plan(tmp_path, **settings, submit_ahead=0), script={2: Directive.STOP})
    second = await carry_out(engine, make_plan(tmp_path, **settings), resume_point=first.checkpoints[0], attempt=2)
    assert first.trained + second.trained == whole.trained
    for key in ("train_mean_nll", "learning_rate", "num_tokens"):
        both = {**first.series(key), **second.series(key)}
        assert both == pytest.approx(whole.series(key), abs=1e-5)
    longest = 27
    assert all(0 < tokens < 40 + longest for tokens in whole.series("num_tokens").values())


async def test_training_starts_from_the_weights_that_the_plan_names(engine: EngineProcess, tmp_path: Path) -> None:
    before = await carry_out(engine, make_plan(tmp_path))
    plan = make_plan(tmp_path).model_copy(update={"start_from": before.checkpoints[-1].state_path})
    after = await carry_out(engine, plan)
    assert after.series("val_mean_nll")[0] == pytest.approx(before.series("val_mean_nll")[5], abs=1e-5)


async def test_clipping_and_decay_reach_the_servers_optimiser(engine: EngineProcess, tmp_path: Path) -> None:
    # With a large epsilon Adam keeps the size of a gradient, which clipping takes away.
    settings: dict[str, Any] = {"adam_eps": 1.0, "learning_rate": 0.5, "num_steps": 3, "eval_every": 0}
    plain = await carry_out(engine, make_plan(tmp_path, **settings))
    clipped = await carry_out(engine, make_plan(tmp_path, **settings, grad_clip_norm=1e-9))
    decayed = await carry_out(engine, make_plan(tmp_path, **settings, weight_decay=0.9))
    first, last = clipped.series("val_mean_nll").values()
    assert first == pytest.approx(last, abs=1e-5)
    assert abs(plain.series("val_mean_nll")[3] - first) > 1e-3
    assert abs(plain.series("val_mean_nll")[3] - decayed.series("val_mean_nll")[3]) > 1e-3
