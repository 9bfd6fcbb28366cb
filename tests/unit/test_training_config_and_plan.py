from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from tcao_tui.domain.plan import Budget, DataHashes, EvalPlan, Plan, PriceQuote, ScoreSpec, approval_hash, config_hash
from tcao_tui.domain.training_config import WEEK_SECONDS, TrainingConfig

SPECIFIED = [
    *("base_model", "run_name", "train_file", "val_file", "lora_rank", "train_mlp", "train_attn", "train_unembed"),
    *("max_seq_len", "train_batch_size", "num_steps", "eval_every", "learning_rate", "weight_decay"),
]
QUOTE = PriceQuote(backend="http://here", source="list", train_usd=1.0, prefill_usd=0.5, sample_usd=1.5)


def config(**changes: Any) -> TrainingConfig:
    given_values = {"base_model": "m", "run_name": "r", "train_file": "/d/train.jsonl", "learning_rate": 1e-4}
    return TrainingConfig.model_validate(given_values | changes)


def plan(**changes: Any) -> Plan:
    hashes = DataHashes(train_file="aa", val_file="bb", score_file="cc")
    evals = EvalPlan(sample_prompts=("hi",), score=ScoreSpec(file=Path("/d/test.jsonl")))
    return Plan(training=config(val_file="/d/val.jsonl"), evals=evals, data=hashes).model_copy(update=changes)


def problem(error: ValidationError) -> tuple[str, str]:
    [found] = error.errors()
    return ".".join(str(part) for part in found["loc"]), found["msg"]


def test_the_config_begins_with_the_specified_fields_and_documents_every_one() -> None:
    fields = TrainingConfig.model_fields
    assert sorted(list(fields)[: len(SPECIFIED)]) == sorted(SPECIFIED)
    assert all(field.description for field in fields.values())


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"num_step": 3}, "num_step", "Extra inputs"),
        ({"base_model": ""}, "base_model", "at least 1 character"),
        ({"run_name": "../x"}, "run_name", "match pattern"),
        ({"run_name": "a b"}, "run_name", "match pattern"),
        ({"run_name": "x" * 65}, "run_name", "match pattern"),
        ({"lora_rank": 24}, "lora_rank", "the nearest are 16 and 32"),
        ({"lora_rank": 0}, "lora_rank", "greater than or equal to 1"),
        ({"num_steps": 0}, "num_steps", "greater than or equal to 1"),
        ({"num_steps": "many"}, "num_steps", "valid integer"),
        ({"num_steps": 1.5}, "num_steps", "valid integer"),
        ({"train_batch_size": -1}, "train_batch_size", "greater than or equal to 1"),
        ({"eval_every": -1}, "eval_every", "greater than or equal to 0"),
        ({"learning_rate": 0}, "learning_rate", "greater than 0"),
        ({"learning_rate": float("nan")}, "learning_rate", "finite number"),
        ({"learning_rate": float("inf")}, "learning_rate", "finite number"),
        ({"weight_decay": 1}, "weight_decay", "less than 1"),
        ({"train_on_what": "everything"}, "train_on_what", "Input should be"),
        ({"checkpoint_ttl_seconds": WEEK_SECONDS - 1}, "checkpoint_ttl_seconds", "greater than or equal"),
        ({"train_mlp": False, "train_attn": False, "train_unembed": False}, "", "nothing would be trained"),
        ({"val_file": "/d/train.jsonl"}, "", "val_file is train_file"),
        ({"input_field": "q", "output_field": "q"}, "", "are both 'q'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_key(changes: dict[str, Any], place: str, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        config(**changes)
    found = problem(raised.value)
    assert found[0] == place
    assert said in found[1]


@pytest.mark.parametrize("field", ["base_model", "run_name", "train_file", "learning_rate"])
def test_what_has_no_sensible_default_must_be_given(field: str) -> None:
    values = config().model_dump(exclude_unset=True)
    del values[field]
    with pytest.raises(ValidationError, match="Field required"):
        TrainingConfig.model_validate(values)


@given(st.integers(0, 12))
def test_every_power_of_two_is_a_rank(exponent: int) -> None:
    assert config(lora_rank=2**exponent).lora_rank == 2**exponent


@pytest.mark.parametrize("value", [config(), plan(), QUOTE])
def test_values_are_frozen_and_survive_json(value: BaseModel) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(value, next(iter(type(value).model_fields)), "other")
    assert type(value).model_validate_json(value.model_dump_json()) == value


def test_a_plan_refuses_unknown_keys_at_every_depth() -> None:
    values = plan().model_dump(mode="json")
    for place in (values, values["evals"], values["evals"]["score"], values["budget"], values["training"]):
        place["surprise"] = 1
        with pytest.raises(ValidationError, match="Extra inputs"):
            Plan.model_validate(values)
        del place["surprise"]
    assert Plan.model_validate(values) == plan()


def test_a_hash_is_sixteen_hex_digits_and_stable_over_processes() -> None:
    assert approval_hash(plan(), QUOTE) == approval_hash(Plan.model_validate_json(plan().model_dump_json()), QUOTE)
    assert len(approval_hash(plan(), QUOTE)) == len(config_hash(plan())) == 16
    assert int(approval_hash(plan(), QUOTE), 16) != int(config_hash(plan()), 16)


def test_a_copy_of_the_data_elsewhere_is_the_same_plan() -> None:
    moved = plan(training=config(train_file="/e/train.jsonl", val_file="/e/val.jsonl"))
    score = ScoreSpec(file=Path("/e/test.jsonl"))
    moved = moved.model_copy(update={"evals": moved.evals.model_copy(update={"score": score})})
    assert approval_hash(moved, QUOTE) == approval_hash(plan(), QUOTE)
    assert config_hash(moved) == config_hash(plan())


@pytest.mark.parametrize(
    "changes",
    [
        {"goal": "other"},
        {"method": "dpo"},
        {"training": config(val_file="/d/val.jsonl", learning_rate=1.0001e-4)},
        {"training": config(val_file="/d/val.jsonl", seed=1)},
        {"training": config(val_file="/d/val.jsonl", base_model="n")},
        {"evals": EvalPlan(sample_prompts=("ho",), score=ScoreSpec(file=Path("/d/test.jsonl")))},
        {"evals": EvalPlan(sample_prompts=("hi",))},
        {"budget": Budget(max_cost_usd=1.0)},
        {"data": DataHashes(train_file="ab", val_file="bb", score_file="cc")},
        {"data": DataHashes(train_file="aa", val_file="bc", score_file="cc")},
        {"data": DataHashes(train_file="aa", val_file="bb", score_file="cd")},
    ],
)
def test_any_change_of_the_plan_voids_an_approval(changes: dict[str, Any]) -> None:
    assert approval_hash(plan(**changes), QUOTE) != approval_hash(plan(), QUOTE)
    assert config_hash(plan(**changes)) != config_hash(plan())


@pytest.mark.parametrize(
    "changes",
    [{"train_usd": 1.01}, {"train_usd": None}, {"sample_usd": 0.0}, {"storage_usd_per_gb_month": 0.1}, {"source": "x"}],
)
def test_any_change_of_a_price_voids_an_approval(changes: dict[str, Any]) -> None:
    assert approval_hash(plan(), QUOTE.model_copy(update=changes)) != approval_hash(plan(), QUOTE)


def test_an_engine_that_comes_back_on_another_port_keeps_the_approval() -> None:
    assert approval_hash(plan(), QUOTE.model_copy(update={"backend": "http://there"})) == approval_hash(plan(), QUOTE)


def test_only_prices_that_are_known_to_be_zero_are_free() -> None:
    free = PriceQuote(
        backend="b", source="s", train_usd=0.0, prefill_usd=0.0, sample_usd=0.0, storage_usd_per_gb_month=0.0
    )
    assert free.is_free
    for price in ("train_usd", "prefill_usd", "sample_usd", "storage_usd_per_gb_month"):
        assert not free.model_copy(update={price: None}).is_free
        assert not free.model_copy(update={price: 0.01}).is_free
