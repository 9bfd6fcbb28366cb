from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.events import Launched, MetricRow, RunEvent, Scored, StoredEvent
from tcao_tui.domain.headlines import Headline
from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec, Success
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import LeaseState, RunStatus, RunSummary, RunView
from tcao_tui.domain.stages import Stage
from tcao_tui.domain.sweep_table import PROBLEM, SCORE, CellRow, measure_for, row_of, table
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import UsageError

VAL = Headline("val_mean_nll", "val")


def row(index: int, value: float | None, *, status: str = "completed", step: int = 20, **more: Any) -> CellRow:
    overrides = (("training.lora_rank", 2**index), ("training.num_steps", 20))
    return CellRow(index, overrides, f"try-{index:02d}", f"run-{index}", status, value=value, value_step=step, **more)


def plan(method: str = "sft", *, metric: str = "score", score: bool = True, **more: Any) -> Plan:
    config = TrainingConfig(base_model="m", run_name="toy", train_file=Path("/data/a.jsonl"), learning_rate=1e-3)
    evals = EvalPlan(score=ScoreSpec(file=Path("/data/test.jsonl")) if score else None)
    return Plan(training=config, method=method, evals=evals, success=Success(metric=metric), **more)


def view(*events: RunEvent, **metrics: float) -> RunView:
    created = RunStatus.CREATED
    summary = RunSummary(
        "run-1", "try-01", "sft", "m", "local", created, created, 0, 20, None, None, 0, 0.0, 0, 1.0, 1.0
    )  # fmt: skip
    state = RunState(summary)
    for seq, event in enumerate([Launched(fence=1, pid=1, host="h"), *events], 1):
        state.apply(StoredEvent(seq=seq, run_id="run-1", attempt=1, at=float(seq), event=event))
    for key, value in metrics.items():
        state.apply_metrics(MetricRow(attempt=1, step=0, at=1.0, values={key: 9.0}))
        state.apply_metrics(MetricRow(attempt=1, step=20, at=2.0, values={key: value}))
    return state.view(LeaseState(held=True, heartbeat_age_seconds=0.0, pid=1, host="h", fence=1), now=3.0)


def test_the_best_cell_is_marked_and_named_by_what_differs() -> None:
    found = table("try", [row(1, 0.5), row(2, 0.4), row(3, 0.6)], VAL)
    assert [r.index for r in found.best] == [2]
    assert found.keys == ("training.lora_rank",)
    assert found.verdict == "best: cell 2 (lora_rank 4), 0.4 (val, lower is better)"
    assert found.is_over


def test_a_score_is_better_when_it_is_higher() -> None:
    assert [r.index for r in table("try", [row(1, 0.5), row(2, 0.4)], SCORE).best] == [1]


def test_a_tie_is_said_and_validation_tells_the_tied_apart() -> None:
    cells = [row(1, 0.8, of=100, val_loss=0.3), row(2, 0.8, of=100, val_loss=0.2), row(3, 0.1, of=100, val_loss=0.1)]
    found = table("try", cells, SCORE)
    assert [r.index for r in found.best] == [1, 2]
    assert "cells 1 and 2 tie at 80.0%" in found.verdict
    assert "of these, cell 2 has the lowest validation loss" in found.verdict


def test_a_lead_that_so_few_rows_cannot_show_is_said() -> None:
    found = table("try", [row(1, 0.81, of=100), row(2, 0.80, of=100), row(3, 0.30, of=100)], SCORE)
    assert "on 100 rows its lead over cell 2 may be chance (less than 14 points)" in found.verdict


def test_cells_without_a_value_are_named() -> None:
    found = table("try", [row(1, 0.5), row(2, None), row(3, math.nan)], VAL)
    assert found.verdict == "only cell 1 has a val: 0.5; without one: cells 2 and 3"


def test_what_is_not_over_is_best_only_so_far() -> None:
    found = table("try", [row(1, 0.5), row(2, 0.4, status="running", step=10)], VAL)
    assert found.verdict.startswith("best so far: cell 2")
    assert "at different steps" in found.verdict
    assert not found.is_over


@pytest.mark.parametrize(
    ("status", "said"), [("running", "no cell has a val yet"), ("failed", "no val"), (PROBLEM, "no val")]
)
def test_nothing_to_compare_is_said(status: str, said: str) -> None:
    found = table("try", [row(1, None, status=status)], VAL)
    assert found.verdict == said
    assert found.best == ()


def test_a_sweep_of_an_unknown_price_has_an_unknown_cost() -> None:
    cells = [replace(row(1, 0.5), cost_usd=1.0), replace(row(2, 0.5), cost_usd=None)]
    assert table("try", cells, VAL).cost_usd is None
    assert table("try", cells[:1], VAL).cost_usd == 1.0


def test_a_row_takes_its_numbers_from_the_run_and_leaves_out_what_the_base_model_had() -> None:
    cell = CellRow(1, (), "try-01")
    before = Scored(step=0, name="exact", correct=90, total=100)
    assert row_of(cell, view(before), SCORE).value is None
    after = row_of(cell, view(before, Scored(step=20, name="exact", correct=40, total=80), val_mean_nll=0.3), SCORE)
    assert (after.value, after.value_step, after.of, after.score) == (0.5, 20, 80, 0.5)
    assert (after.val_loss, after.status, after.run_id) == (0.3, "starting", "run-1")
    assert row_of(cell, view(val_mean_nll=0.3), VAL).value == 0.3


@pytest.mark.parametrize(
    ("own", "by", "key"),
    [
        (plan(), None, "score"),
        (plan(metric="val_mean_nll"), None, "val_mean_nll"),
        (plan(score=False), None, "val_mean_nll"),
        (plan("dpo", score=False), None, "val_accuracy"),
        (plan("pipeline", score=False, stages=(Stage(name="a", method="dpo"),)), None, "val_accuracy"),
        (plan(metric="inspect_evals/gsm8k"), None, "val_mean_nll"),
        (plan(), "train_mean_nll", "train_mean_nll"),
        (plan("rl", score=False), None, "val_reward"),
    ],
)
def test_cells_are_judged_by_what_the_plan_calls_success_or_by_what_is_asked(
    own: Plan, by: str | None, key: str
) -> None:
    assert measure_for(own, by).key == key


def test_nobody_guesses_which_way_of_a_metric_is_better() -> None:
    with pytest.raises(UsageError, match="can be judged by") as raised:
        measure_for(plan(), "entropy")
    assert "val_mean_nll" in raised.value.next_step
