from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.cost import CostEstimate, CostKind, CostLine, CostRange
from tcao_tui.domain.events import DataLoaded, parse_event
from tcao_tui.domain.pilot import Pilot, PilotStep, judge, pilot_text
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_events import PilotEnded
from tcao_tui.domain.watch_plan import PilotPlan
from tcao_tui.store.estimate_file import ESTIMATE_NAME, read_estimate, write_estimate
from tests.fakes.scripted_numbers import flat, plan_of

TERMS = PilotPlan(steps=10)


def estimate(
    training_usd: float | None, *, tokens: int = 100_000, others: dict[CostKind, float] | None = None
) -> CostEstimate:
    """An estimate of the training line, and of other kinds of work in USD."""
    costs: list[tuple[CostKind, float | None]] = [("training", training_usd), *(others or {}).items()]
    lines = tuple(
        CostLine(kind, tokens if kind == "training" else 0, CostRange(usd, usd, usd), "") for kind, usd in costs
    )
    known = [usd for _, usd in costs if usd is not None]
    total = sum(known) if len(known) == len(costs) else None
    return CostEstimate(lines, CostRange(total, total, total), is_free=total == 0, price_source="test")


def _falling(step: int) -> float:
    return 3 - step / 10


def pilot(
    loss: Callable[[int], float] | None = None,
    *,
    plan: Plan | None = None,
    usd: float | None = 0.01,
    tokens: int | None = 1_000,
    cut: int = 0,
    approved: CostEstimate | None = None,
    other_usd: float | None = 0.5,
    **values: float,
) -> Pilot:
    plan = plan or plan_of("sft", training={"num_steps": 100})
    key = "dpo_loss" if plan.method == "dpo" else "train_mean_nll"
    steps = [
        PilotStep(step, {key: (loss or _falling)(step), "step_seconds": 2.0, **values}, tokens, usd)
        for step in range(1, 11)
    ]
    data = DataLoaded(
        train_rows=100, val_rows=0, batches_per_epoch=9, train_tokens=1, loss_tokens=1, truncated_rows=cut
    )
    return Pilot(plan, steps, data, other_usd, approved)


def findings(case: Pilot, terms: PilotPlan = TERMS) -> str:
    return "; ".join(judge(case, terms).findings)


def test_a_pilot_that_passes_tells_what_the_whole_run_will_take() -> None:
    ended = judge(pilot(cut=3), TERMS)
    assert (ended.passed, ended.findings, ended.step) == (True, (), 10)
    assert ended.measured == {
        "step_seconds": 2.0,
        "projected_hours": pytest.approx(100 * 2 / 3600),
        "tokens_per_step": 1_000,
        "truncated_share": 0.03,
        "first_loss": 2.9,
        "last_loss": 2.0,
        "projected_cost_usd": pytest.approx(100 * 0.01 + 0.5),
    }
    assert pilot_text(ended) == "about $1.50 and 3m20s in all, loss 2.9 -> 2, 3.0% of rows cut"


def test_a_projection_takes_all_but_the_steps_from_the_estimate() -> None:
    measured = judge(pilot(approved=estimate(0.9, others={"evals": 0.3, "storage": 0.1})), TERMS).measured
    assert measured["projected_cost_usd"] == pytest.approx(1.0 + 0.4)


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (
            pilot(lambda s: math.nan if s == 4 else 2.0),
            "train_mean_nll is nan at step 4: training.learning_rate: 0.0001",
        ),
        (pilot(lambda s: 2 + s / 5), "the loss rises, train_mean_nll went from 2.6 to 3.6: training.learning_rate"),
        (
            pilot(lambda s: 2.0),
            "the loss does not fall, train_mean_nll went from 2 to 2: training.learning_rate: 0.0009",
        ),
        (pilot(cut=6), "6.0% of rows are cut, allowed are 5.0%: training.max_seq_len: 8192"),
        (pilot(approved=estimate(0.6)), "the whole run would cost $1.00, approved was about $0.6000"),
        (
            pilot(plan=plan_of("sft", training={"num_steps": 100}, budget={"max_cost_usd": 1.0})),
            "the whole run would cost $1.50, and its cap is $1.00",
        ),
        (
            pilot(usd=0.0, other_usd=0.0, approved=estimate(0.0, tokens=60_000)),
            "the whole run would use 100k tokens, estimated were 60.0k",
        ),
        (
            pilot(usd=None, approved=estimate(None, tokens=60_000)),
            "the whole run would use 100k tokens, estimated were 60.0k",
        ),
        (
            pilot(plan=plan_of("rl"), zero_advantage_share=1.0, reward_mean=0.0),
            "all answers to each prompt earned the same in every step (mean reward 0)",
        ),
        (pilot(lambda s: 0.693 + s / 50, plan=plan_of("dpo")), "the loss rises, dpo_loss"),
    ],
)
def test_what_speaks_against_the_rest_is_said_with_numbers_and_what_to_change(case: Pilot, says: str) -> None:
    assert says in findings(case)
    assert not judge(case, TERMS).passed


@pytest.mark.parametrize(
    "case",
    [
        pilot(cut=5),
        pilot(approved=estimate(0.7)),
        pilot(flat(2.0, 0.1)),
        pilot(lambda s: 2.0, plan=plan_of("sft", training={"num_steps": 100, "warmup_steps": 20})),
        pilot(lambda s: 0.01),
        pilot(plan=plan_of("rl"), zero_advantage_share=0.9, reward_mean=0.1),
        pilot(usd=None),
        pilot(tokens=None, usd=None),
        pilot(usd=0.0, other_usd=0.0, approved=estimate(0.0, tokens=70_000)),
    ],
    ids=[
        "as many rows are cut as are allowed",
        "dearer than estimated, within the factor",
        "too noisy to tell",
        "still in the warm-up",
        "low already",
        "some groups teach",
        "unknown prices are unknown, not a reason",
        "trained by an earlier worker",
        "free, with about as many tokens as estimated",
    ],
)
def test_what_is_no_reason_stops_nothing(case: Pilot) -> None:
    assert judge(case, TERMS).findings == ()


def test_a_pipeline_is_not_projected_from_its_first_stage() -> None:
    stages = [{"name": name, "method": "sft", "set": {}} for name in ("one", "two")]
    staged = Plan.model_validate(
        {"method": "pipeline", "stages": stages, "training": plan_of("sft").training.model_dump()}
    )
    ended = judge(pilot(plan=staged, approved=estimate(0.01)), TERMS)
    assert ended.passed
    assert not {"projected_cost_usd", "projected_hours"} & ended.measured.keys()


def test_a_pilot_of_which_nothing_is_known_is_told_by_its_steps() -> None:
    assert pilot_text(PilotEnded(step=7, passed=True)) == "7 steps"


NUMBERS: dict[str, Any] = {"allow_nan": True, "allow_infinity": True}


@given(st.sampled_from(["sft", "dpo", "rl"]), st.lists(st.floats(**NUMBERS), max_size=12), st.floats(**NUMBERS))
def test_no_numbers_whatever_keep_a_pilot_from_being_judged(method: str, losses: list[float], other: float) -> None:
    keys = ("train_mean_nll", "dpo_loss", "reward_mean", "zero_advantage_share", "step_seconds")
    steps = [PilotStep(step, dict.fromkeys(keys, loss), 10, loss) for step, loss in enumerate(losses, 1)]
    ended = judge(Pilot(plan_of(method), steps, None, other, estimate(1.0)), TERMS)
    assert parse_event("pilot_ended", ended.model_dump_json()) == ended
    assert len(pilot_text(ended)) < 2_000


def test_an_estimate_is_read_back_as_it_was_written_and_a_strange_one_is_none(tmp_path: Path) -> None:
    approved = estimate(None, others={"evals": 0.3})
    write_estimate(tmp_path, approved)
    assert read_estimate(tmp_path) == approved
    (tmp_path / ESTIMATE_NAME).write_text('{"lines": 3}')
    assert read_estimate(tmp_path) is None
    assert read_estimate(tmp_path / "nowhere") is None
