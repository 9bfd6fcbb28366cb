from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_events import Alert
from tcao_tui.domain.watch import REARM_ROWS, RULES, Watcher
from tests.fakes.scripted_numbers import SECTIONS, TRAINING, plan_of

KEYS = sorted(
    {key for rule in RULES.values() for method in SECTIONS for key in rule(plan_of(method)).reads}
    | {"step_seconds", "val_mean_nll", "val_accuracy", "learning_rate"}
)
NUMBERS = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, -1e308, 1e308, 5e-324, math.nan, math.inf]))
ROWS = st.tuples(st.dictionaries(st.sampled_from(KEYS), NUMBERS), st.booleans(), st.none() | NUMBERS)


def fed(plan: Plan, values: list[dict[str, float]], *, trained: bool = True) -> list[Alert]:
    watcher = Watcher(plan)
    return [alert for step, row in enumerate(values, 1) for alert in watcher.observe(step, row, trained=trained)]


@given(st.sampled_from(sorted(SECTIONS)), st.lists(ROWS, max_size=60), st.integers(1, 40))
def test_no_numbers_whatever_make_a_rule_raise(
    method: str, rows: list[tuple[dict[str, float], bool, float | None]], repeats: int
) -> None:
    plan = plan_of(
        method,
        budget={"max_cost_usd": 1.0},
        watch={"early_stopping": {"metric": "val_mean_nll"}},
        training={"num_steps": 50},
    )
    watcher = Watcher(plan)
    for step, (values, trained, spent) in enumerate(rows * repeats, 1):
        for alert in watcher.observe(step, values, trained=trained, spent_usd=spent):
            assert len(alert.evidence) < 1_000


def test_what_lasts_is_told_once_and_what_comes_back_is_told_again() -> None:
    bad, good = {"train_mean_nll": math.nan}, {"train_mean_nll": 1.0}
    quiet = [good] * REARM_ROWS
    steps = [alert.step for alert in fed(plan_of("sft"), [*[bad, good] * 10, *quiet, bad, bad])]
    assert steps == [1, 21 + REARM_ROWS]


def test_the_budget_is_told_at_four_fifths_and_again_when_it_is_spent() -> None:
    watcher = Watcher(plan_of("sft", budget={"max_cost_usd": 10.0}))
    found = [a for s in range(1, 13) for a in watcher.observe(s, {}, trained=True, spent_usd=float(s))]
    assert [(alert.step, alert.severity) for alert in found] == [(8, "warning"), (10, "critical")]
    assert found[0].evidence == "80.0% of the cap is spent at step 8 of 1000: $8.00 of $10.00"
    assert not Watcher(plan_of("sft")).observe(1, {}, trained=True, spent_usd=1e9)


def test_a_plan_turns_rules_off_and_gives_others_another_action() -> None:
    rows = [{"train_mean_nll": math.nan, "num_loss_tokens": 5.0}, {"train_mean_nll": math.nan, "num_loss_tokens": 0.0}]
    plan = plan_of("sft", watch={"actions": {"not_finite": "off", "all_masked": "pause"}})
    assert [(alert.rule, alert.action) for alert in fed(plan, rows)] == [("all_masked", "pause")]


def pipeline() -> Plan:
    stages = [
        {"name": "sft", "method": "sft", "set": {"training.num_steps": 30}},
        {"name": "dpo", "method": "dpo", "set": {"training.num_steps": 60}},
    ]
    staged = {"method": "pipeline", "training": TRAINING, "stages": stages}
    return Plan.model_validate({**staged, "watch": {"early_stopping": {"patience": 1}}})


def test_each_stage_of_a_pipeline_is_judged_as_a_training_of_its_own() -> None:
    watcher = Watcher(pipeline())
    found: list[Alert] = []
    for step in range(1, 31):
        found += watcher.observe(step, {"train_mean_nll": 2 * math.exp(-step / 9)}, trained=True)
    found += watcher.observe(30, {"val_mean_nll": 0.5}, trained=False)
    found += watcher.observe(30, {"val_mean_nll": 3.0}, trained=False)
    for step in range(31, 91):
        found += watcher.observe(step, {"dpo_loss": 0.693, "train_mean_nll": 9.0}, trained=True)
    assert [(alert.rule, alert.since) for alert in found] == [("loss_stuck", 31)]


def early(**changes: Any) -> Watcher:
    return Watcher(plan_of("sft", watch={"early_stopping": changes}))


@pytest.mark.parametrize(
    ("changes", "values", "stops_at", "best"),
    [
        ({"patience": 2}, [3.0, 2.0, 2.1, 2.0], 4, 2),
        ({"patience": 2, "min_delta": 0.5}, [3.0, 2.7, 2.6], 3, 1),
        ({"patience": 2}, [3.0, 2.9, 2.8, 2.7], None, 4),
        ({"patience": 2}, [3.0, math.nan, math.inf], 3, 1),
        ({"patience": 2}, [math.nan, math.nan], 2, None),
        ({"patience": 2, "metric": "val_accuracy"}, [0.5, 0.7, 0.6, 0.7], 4, 2),
    ],
)
def test_early_stopping_waits_for_a_better_value_as_long_as_its_patience(
    changes: dict[str, Any], values: list[float], stops_at: int | None, best: int | None
) -> None:
    watcher = early(**changes)
    key = changes.get("metric", "val_mean_nll")
    found = [a for step, value in enumerate(values, 1) for a in watcher.observe(step, {key: value}, trained=False)]
    stops = [alert.step for alert in found if (alert.rule, alert.action) == ("early_stopping", "stop")]
    assert stops == ([] if stops_at is None else [stops_at])
    assert watcher.best_step == best


def test_early_stopping_on_the_score_hears_scores_and_says_which_step_was_best() -> None:
    watcher = early(metric="score", patience=2)
    found = [a for step, score in enumerate([0.1, 0.6, None, 0.5, 0.55]) for a in watcher.score(step, score)]
    [alert] = found
    assert alert.evidence == "score did not get better than 0.6 at step 1 in 2 evals, up to step 4"
    assert "training.num_steps: 1" in alert.suggestion


def test_weights_that_a_resumed_run_evaluates_again_count_once() -> None:
    watcher = early(patience=2)
    evals = [(0, 3.0), (0, 3.0), (1, 4.0), (1, 4.0), (2, 5.0)]
    found = [a for step, nll in evals for a in watcher.observe(step, {"val_mean_nll": nll}, trained=False)]
    assert [alert.step for alert in found] == [2]


def test_a_run_that_goes_on_after_it_was_stopped_early_is_not_stopped_again() -> None:
    watcher = early(patience=1)
    values = [3.0, 4.0, 5.0, 6.0]
    found = [a for s, v in enumerate(values) for a in watcher.observe(s, {"val_mean_nll": v}, trained=False)]
    assert len(found) == 1
