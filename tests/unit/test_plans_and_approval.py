from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.cost import CostEstimate, CostRange
from tcao_tui.domain.plan import EvalPlan, Plan, PriceQuote, ScoreSpec, approval_hash
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import NeedsInput, PlanInvalid
from tcao_tui.services.approve import approve
from tcao_tui.services.plans import changed_data
from tcao_tui.store.port import Approval
from tests.fakes.known_facts import FREE, PAID, UNKNOWN
from tests.fakes.plans import resolve

ESTIMATE = CostEstimate((), CostRange(1.0, 2.0, 3.0), is_free=False, price_source="a list")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    for name in ("train", "val", "score"):
        (tmp_path / name).write_bytes(name.encode())
    config = TrainingConfig(
        base_model="m",
        run_name="r",
        train_file=tmp_path / "train",
        val_file=tmp_path / "val",
        learning_rate=1e-4,
    )
    return resolve(Plan(training=config, evals=EvalPlan(score=ScoreSpec(file=tmp_path / "score"))))


def consent(plan: Plan, quote: PriceQuote, given: str | None, **options: Any) -> Approval:
    return approve(plan, quote, given=given, by="me", at=1.0, cost=ESTIMATE, **options)


def test_one_changed_byte_is_told_with_the_file(plan: Plan) -> None:
    assert changed_data(plan) == []
    plan.training.train_file.write_bytes(b"y" + plan.training.train_file.read_bytes()[1:])
    (problem,) = changed_data(plan)
    assert str(plan.training.train_file) in problem


def test_a_lost_file_is_told_with_its_key(plan: Plan) -> None:
    plan.training.train_file.unlink()
    (problem,) = changed_data(plan)
    assert problem.startswith("training.train_file: ")


def test_the_hash_of_this_plan_at_these_prices_approves_it(plan: Plan) -> None:
    given = approval_hash(plan, PAID)
    assert consent(plan, PAID, given).how == "hash"
    assert consent(plan, PAID, given, typed=True).how == "typed"
    assert PriceQuote.model_validate_json(consent(plan, PAID, given).quote) == PAID


@pytest.mark.parametrize("given", [None, "", "auto", "0123456789abcdef"])
def test_anything_else_needs_input_and_says_hash_and_cost_to_people_and_scripts(plan: Plan, given: str | None) -> None:
    with pytest.raises(NeedsInput) as caught:
        consent(plan, PAID, given)
    wanted = approval_hash(plan, PAID)
    assert wanted in caught.value.next_step
    assert "$2.00 ($1.00 to $3.00)" in caught.value.where
    assert caught.value.details["approval_hash"] == wanted
    assert caught.value.details["cost"]["total"] == {"low_usd": 1.0, "expected_usd": 2.0, "high_usd": 3.0}


def test_auto_approves_only_what_is_known_to_be_free(plan: Plan) -> None:
    assert consent(plan, FREE, "auto").how == "auto"
    with pytest.raises(NeedsInput):
        consent(plan, UNKNOWN, "auto")


def test_other_prices_void_an_approval(plan: Plan) -> None:
    given = approval_hash(plan, PAID)
    with pytest.raises(NeedsInput):
        consent(plan, PAID.model_copy(update={"train_usd": 2.01}), given)


def test_a_plan_whose_data_is_not_hashed_cannot_be_approved(plan: Plan) -> None:
    loose = plan.model_copy(update={"data": type(plan.data)()})
    with pytest.raises(PlanInvalid):
        consent(loose, FREE, "auto")
