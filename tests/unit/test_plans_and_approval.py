from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.plan import Budget, EvalPlan, Plan, PriceQuote, ScoreSpec, approval_hash
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BudgetExceeded, NeedsInput, PlanInvalid
from tcao_tui.services.approve import DataSizes, FileSize, approve, estimate, measure
from tcao_tui.services.plans import changed_data, resolve
from tcao_tui.store.port import Approval

FREE = PriceQuote(backend="x", source="x", train_usd=0, prefill_usd=0, sample_usd=0, storage_usd_per_gb_month=0)
PRICED = PriceQuote(backend="x", source="x", train_usd=2.0, prefill_usd=1.0, sample_usd=4.0)
UNKNOWN = PriceQuote(backend="x", source="x")
ROW = b"x" * 399 + b"\n"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    for name, rows in (("train", 10), ("val", 5), ("score", 3)):
        (tmp_path / name).write_bytes(name.encode().ljust(399, b"-") + b"\n" + ROW * (rows - 1))
    config = TrainingConfig(
        base_model="m",
        run_name="r",
        train_file=tmp_path / "train",
        val_file=tmp_path / "val",
        learning_rate=1e-4,
        train_batch_size=10,
        num_steps=100,
        eval_every=50,
    )
    return resolve(Plan(training=config, evals=EvalPlan(score=ScoreSpec(file=tmp_path / "score"))))


def consent(plan: Plan, quote: PriceQuote, given: str | None, **options: Any) -> Approval:
    cost = estimate(plan, quote, measure(plan))
    return approve(plan, quote, given=given, by="me", at=1.0, cost=cost, **options)


def test_a_resolved_plan_names_its_data_by_content(plan: Plan, tmp_path: Path) -> None:
    assert {len(plan.data.train_file), len(plan.data.val_file), len(plan.data.score_file)} == {64}
    copy = tmp_path / "copy"
    copy.write_bytes(plan.training.train_file.read_bytes())
    moved = plan.model_copy(update={"training": plan.training.model_copy(update={"train_file": copy})})
    assert approval_hash(resolve(moved), FREE) == approval_hash(plan, FREE)


def test_one_changed_byte_is_told_with_the_file(plan: Plan) -> None:
    assert changed_data(plan) == []
    plan.training.train_file.write_bytes(b"y" + plan.training.train_file.read_bytes()[1:])
    (problem,) = changed_data(plan)
    assert str(plan.training.train_file) in problem
    with pytest.raises(PlanInvalid, match="changed since the plan was written"):
        resolve(plan)


def test_missing_files_are_all_told_with_their_keys(plan: Plan) -> None:
    plan.training.train_file.unlink()
    assert plan.training.val_file is not None
    plan.training.val_file.unlink()
    with pytest.raises(PlanInvalid) as caught:
        resolve(plan)
    assert "training.train_file" in str(caught.value)
    assert "training.val_file" in str(caught.value)


def test_validation_rows_that_are_the_training_rows_are_refused(plan: Plan) -> None:
    assert plan.training.val_file is not None
    plan.training.val_file.write_bytes(plan.training.train_file.read_bytes())
    with pytest.raises(PlanInvalid, match="same content"):
        resolve(plan.model_copy(update={"data": type(plan.data)()}))


def test_a_last_row_without_a_newline_counts(tmp_path: Path, plan: Plan) -> None:
    (tmp_path / "train").write_bytes(b"a\nb")
    assert measure(plan).train == FileSize(2, 3)


def test_an_estimate_follows_rows_bytes_and_prices(plan: Plan) -> None:
    found = estimate(plan, PRICED, measure(plan))
    assert found.expected.train == 100 * 10 * 100
    assert found.expected.prefill == 4 * 5 * 100 + 2 * 3 * 100
    assert found.expected.sample == 2 * 3 * 64
    assert found.expected_usd == pytest.approx((100_000 * 2 + 2_600 + 384 * 4) / 1e6)
    assert found.low_usd is not None
    assert found.high_usd is not None
    assert found.low_usd < found.expected_usd < found.high_usd
    assert found.not_counted


def test_rows_longer_than_the_cut_cost_no_more_than_the_cut(plan: Plan) -> None:
    long = DataSizes(FileSize(1, 10**9))
    config = plan.training.model_copy(update={"val_file": None})
    found = estimate(plan.model_copy(update={"training": config, "evals": EvalPlan()}), PRICED, long)
    assert found.expected.train == 100 * 10 * config.max_seq_len


def test_an_unknown_price_makes_the_total_unknown_and_never_zero(plan: Plan) -> None:
    assert estimate(plan, UNKNOWN, measure(plan)).expected_usd is None
    assert estimate(plan, PRICED.model_copy(update={"sample_usd": None}), measure(plan)).expected_usd is None


def test_the_hash_of_this_plan_at_these_prices_approves_it(plan: Plan) -> None:
    given = approval_hash(plan, PRICED)
    assert consent(plan, PRICED, given).how == "hash"
    assert consent(plan, PRICED, given, typed=True).how == "typed"
    assert PriceQuote.model_validate_json(consent(plan, PRICED, given).quote) == PRICED


@pytest.mark.parametrize("given", [None, "", "auto", "0123456789abcdef"])
def test_anything_else_needs_input_and_says_the_hash(plan: Plan, given: str | None) -> None:
    with pytest.raises(NeedsInput) as caught:
        consent(plan, PRICED, given)
    assert approval_hash(plan, PRICED) in caught.value.next_step


def test_auto_approves_only_what_is_known_to_be_free(plan: Plan) -> None:
    assert consent(plan, FREE, "auto").how == "auto"
    with pytest.raises(NeedsInput):
        consent(plan, UNKNOWN, "auto")


def test_other_prices_void_an_approval(plan: Plan) -> None:
    given = approval_hash(plan, PRICED)
    with pytest.raises(NeedsInput):
        consent(plan, PRICED.model_copy(update={"train_usd": 2.01}), given)


def test_a_cap_below_the_estimate_is_refused_with_both_numbers(plan: Plan) -> None:
    capped = plan.model_copy(update={"budget": Budget(max_cost_usd=0.1)})
    with pytest.raises(BudgetExceeded) as caught:
        consent(capped, PRICED, approval_hash(capped, PRICED))
    assert "$0.1000" in caught.value.what
    assert "$0.2041" in caught.value.what


def test_a_cap_that_cannot_be_kept_is_refused(plan: Plan) -> None:
    capped = plan.model_copy(update={"budget": Budget(max_cost_usd=100)})
    with pytest.raises(BudgetExceeded, match="unknown"):
        consent(capped, UNKNOWN, approval_hash(capped, UNKNOWN))


def test_a_plan_whose_data_is_not_hashed_cannot_be_approved(plan: Plan) -> None:
    loose = plan.model_copy(update={"data": type(plan.data)()})
    with pytest.raises(PlanInvalid):
        consent(loose, FREE, "auto")
