from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.plan import Plan, ScoreSpec
from tcao_tui.domain.range_test import RangeRun, judge_range, range_settings
from tcao_tui.domain.sweep import expand, grid
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import UsageError

STEPS = 20


def losses(end: float, *, noise: float = 0.02, seed: int = 1) -> list[float]:
    """A fall from 4 to about `end`, the same noise for the same seed, as runs on the same batches have."""
    draw = random.Random(seed)
    return [end + (4 - end) * math.exp(-step / 5) + draw.gauss(0, noise) for step in range(STEPS)]


def run(index: int, rate: float, rank: int, values: list[float]) -> RangeRun:
    return RangeRun(index, rate, rank, values)


def plan(**changes: Any) -> Plan:
    config = TrainingConfig(
        base_model="tiny",
        run_name="toy",
        train_file=Path("/data/train.jsonl"),
        learning_rate=2e-4,
        lr_schedule="cosine",
        warmup_steps=5,
    )
    return Plan(training=config, **changes)


def test_the_grid_lies_around_the_plans_own_values_and_makes_short_cheap_runs() -> None:
    own = plan(evals={"score": ScoreSpec(file=Path("/data/test.jsonl"))})
    settings = range_settings(own, steps=12, rank_limit=64)
    cells = expand(own.model_dump(mode="json"), grid(settings), name="range")
    assert sorted({cell.plan.training.learning_rate for cell in cells}) == pytest.approx(
        [2e-5, 6.4e-5, 2e-4, 6.4e-4, 2e-3]
    )
    assert sorted({cell.plan.training.lora_rank for cell in cells}) == [8, 32, 64]
    for cell in cells:
        config = cell.plan.training
        assert (config.num_steps, config.lr_schedule, config.warmup_steps, config.save_every) == (12, "constant", 0, 0)
        assert cell.plan.evals.score is not None
        assert cell.plan.evals.score.max_rows == 1


def test_reinforcement_learning_has_no_loss_that_a_few_steps_could_be_read_by() -> None:
    with pytest.raises(UsageError, match="method rl"):
        range_settings(plan(method="rl", rl={}), steps=20, rank_limit=64)


def test_the_rate_with_the_furthest_stable_fall_is_named() -> None:
    found = judge_range(
        [run(1, 1e-4, 8, losses(3.8)), run(2, 1e-3, 8, losses(1.0)), run(3, 1e-2, 8, losses(2.0)),
         run(4, 1e-1, 8, [4.0 + step for step in range(STEPS)])]
    )  # fmt: skip
    assert found.best is not None
    assert found.best.index == 2
    assert "learning rate 0.001 at rank 8" in found.sentence
    assert [outcome.shape for outcome in found.outcomes] == ["stable", "stable", "stable", "unstable"]


def test_a_loss_that_falls_and_then_rises_is_unstable_however_low_it_was() -> None:
    fell = losses(0.5)[:12]
    rising = run(2, 1e-2, 8, [*fell, *(fell[-1] + 0.3 * n for n in range(1, 9))])
    found = judge_range([run(1, 1e-3, 8, losses(2.0)), rising, run(3, 1e-4, 8, losses(3.5))])
    assert found.best is not None
    assert found.best.index == 1


def test_a_loss_that_is_not_finite_never_wins() -> None:
    found = judge_range(
        [run(1, 1e-3, 8, losses(2.0)), run(2, 1e-4, 8, losses(3.0)), run(3, 1e-2, 8, [*losses(0.1)[:-1], math.nan])]
    )
    assert found.best is not None
    assert found.best.index == 1
    assert found.outcomes[2].shape == "not finite"


def test_of_runs_that_cannot_be_told_apart_the_smallest_rank_is_named_and_the_others_are_said() -> None:
    found = judge_range(
        [run(1, 1e-3, 32, losses(1.0)), run(2, 1e-3, 8, losses(1.0, seed=2)), run(3, 1e-4, 8, losses(3.0))]
    )
    assert found.best is not None
    assert found.best.index == 2
    assert "cannot be told from 0.001 at rank 32" in found.sentence


def test_a_best_rate_at_the_edge_of_the_grid_is_said() -> None:
    assert (
        "a higher one may be better still"
        in judge_range([run(1, 1e-3, 8, losses(2.0)), run(2, 1e-2, 8, losses(1.0))]).sentence
    )
    assert (
        "a lower one may be better still"
        in judge_range([run(1, 1e-3, 8, losses(1.0)), run(2, 1e-2, 8, losses(2.0))]).sentence
    )


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([], "no run has 6 steps yet"),
        ([run(1, 1e-3, 8, [4.0, 3.0])], "no run has 6 steps yet"),
        ([run(1, 1e-3, 8, losses(2.0)), run(2, 1e-4, 8, [4.0])], "let more of its runs finish"),
        ([run(1, 1e-3, 8, losses(2.0)), run(2, 1e-1, 8, [4.0 * n for n in range(1, 21)])], "try lower rates"),
        ([run(n, 10.0**-n, 8, losses(4.0, noise=0.5, seed=n)) for n in range(1, 4)], "noise"),
    ],
)  # fmt: skip
def test_it_says_when_it_cannot_tell(runs: list[RangeRun], said: str) -> None:
    found = judge_range(runs)
    assert found.best is None
    assert found.sentence.startswith("the test cannot tell")
    assert said in found.sentence
