"""What policy makes of rows and model: rank, learning rate, lengths, steps, and what each method needs besides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.cost_estimate import estimate_cost
from tcao_tui.domain.data_profile import DataProfile, Split
from tcao_tui.domain.draft import Draft, Filled, nested
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.hyperparams import (
    lora_parameters,
    low_regret_rank,
    power_of_two_at_least,
    power_of_two_at_most,
    rank_limit,
)
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.policy.complete import complete
from tcao_tui.domain.watch_plan import RangeTest
from tests.fakes import offered_models as lab
from tests.fakes.offered_models import CAPPED, ENGINE, MIXTURE, PAID_SERVER, SMALL, SWEPT, TINY, known, said


def decided(path: str, draft: Draft, facts: Facts) -> Filled:
    return complete(draft, facts)[path]


def on(model: ModelInfo, **more: Any) -> Draft:
    return said(training__base_model=model.name, **more)


def billions(completion: float) -> DataProfile:
    """A million rows whose answers have so many billions of tokens."""
    each = round(completion * 1e3)
    return lab.rows(count=1_000_000, tokens=lab.tokens(1_000_000, mean=each + 50, answer=each))


@pytest.mark.parametrize(
    ("model", "profile", "rank", "said_so"),
    [
        (MIXTURE, lab.rows(tokens=lab.tokens()), 32, "low regret"),
        (SMALL, billions(0.2), 128, "low regret"),
        (SMALL, billions(0.1), 64, "low regret"),
        (SMALL, billions(0.5), 128, "close to low regret"),
        (SMALL, billions(5.0), 128, "far below low regret"),
        (CAPPED, billions(5.0), 32, "is not known"),
        (TINY, lab.rows(tokens=lab.tokens(mean=900, answer=600)), 128, "low regret"),
        (TINY, lab.rows(count=60, tokens=lab.tokens(60)), 32, "low regret"),
    ],
)
def test_the_rank_grows_until_the_adapter_holds_the_answers(
    model: ModelInfo, profile: DataProfile, rank: int, said_so: str
) -> None:
    server = ENGINE if model is TINY else PAID_SERVER
    filled = decided("training.lora_rank", on(model), known(profile, server=server))
    assert filled.value == rank
    assert said_so in filled.reason


def test_far_below_low_regret_names_the_ways_out_with_numbers() -> None:
    reason = decided("training.lora_rank", on(SMALL), known(billions(5.0))).reason
    assert "369M LoRA parameters at rank 128, 7% of about 5.00B completion tokens" in reason
    assert "raise it to 2048 if the server allows" in reason
    assert f"take {lab.LARGE.name} (397B, 17B active)" not in reason
    assert f"take {SWEPT.name} (120B, 12B active), whose adapter holds 14.5B" in reason
    assert "narrow the goal to about 73,8" in reason


def test_a_known_cap_is_not_argued_with() -> None:
    capped = SMALL.model_copy(update={"rank_cap": 64})
    server = PAID_SERVER.model_copy(update={"models": (capped,)})
    reason = decided("training.lora_rank", on(capped), known(billions(5.0), server=server)).reason
    assert "that the server allows" in reason
    assert "raise it" not in reason


@pytest.mark.parametrize(("method", "rank"), [("rl", 16), ("dpo", 32), ("distill", 32), ("rlhf", 32)])
def test_methods_that_learn_from_rewards_need_less_room(method: str, rank: int) -> None:
    draft = on(SMALL, method=method, distill__teacher_model=lab.LARGE.name)
    assert decided("training.lora_rank", draft, known(billions(5.0) if method != "rlhf" else lab.rows())).value == rank


@given(
    per_rank=st.floats(1, 1e9),
    tokens=st.floats(0, 1e13),
    start=st.sampled_from([8, 16, 32, 128]),
    cap=st.none() | st.integers(1, 5000),
    width=st.none() | st.integers(1, 20_000),
)
def test_the_rank_is_always_a_power_of_two_within_the_limits(
    per_rank: float, tokens: float, start: int, cap: int | None, width: int | None
) -> None:
    model = SMALL.model_copy(update={"rank_cap": cap, "hidden_size": width, "lora_parameters_per_rank": per_rank})
    limit = rank_limit(model)
    rank = low_regret_rank(per_rank, tokens, start=start, limit=limit)
    assert rank & (rank - 1) == 0
    assert rank <= min(cap or rank, width or rank)
    held = lora_parameters(model, rank)
    assert held is not None
    assert held >= tokens - per_rank or rank == limit


@given(st.floats(0, 1e12))
def test_powers_of_two_enclose_a_number(number: float) -> None:
    below, above = power_of_two_at_most(number), power_of_two_at_least(number)
    assert below <= max(1, number) <= above <= 2 * below


@pytest.mark.parametrize(
    ("model", "method", "rate", "source"),
    [
        (SMALL, "sft", 4.73e-4, "get_lr"),
        (MIXTURE, "rlhf", 4.99e-4, "get_lr"),
        (SWEPT, "sft", 4e-4, "sft_sweep"),
        (CAPPED, "sft", 1e-4, "supervised.train"),
        (TINY, "sft", 2e-3, "demo-plan"),
        (SMALL, "dpo", 1e-5, "dpo"),
        (SMALL, "rl", 4e-5, "rl_basic"),
        (SMALL, "distill", 1e-4, "on_policy_distillation"),
    ],
)
def test_the_learning_rate_has_a_source(model: ModelInfo, method: str, rate: float, source: str) -> None:
    server = ENGINE if model is TINY else PAID_SERVER
    filled = decided("training.learning_rate", on(model, method=method), known(server=server))
    assert (filled.value, filled.by) == (rate, "policy")
    assert source in filled.source
    assert all(0 < other.value < 1 for other in filled.alternatives)


@pytest.mark.parametrize(
    ("longest", "context", "length"),
    [(560, 32768, 1024), (512, 32768, 512), (20, 32768, 128), (50_000, 32768, 32768), (900, 1000, 1000)],
)
def test_rows_are_not_cut_unless_the_context_forces_it(longest: int, context: int, length: int) -> None:
    counted = lab.tokens(row=lab.spread(100, 200, longest, 150_000))
    model = SMALL.model_copy(update={"context_length": context})
    server = PAID_SERVER.model_copy(update={"models": (model,)})
    filled = decided("training.max_seq_len", on(model), known(lab.rows(tokens=counted), server=server))
    assert (filled.value, filled.by) == (length, "data")
    assert f"{longest:,} tokens" in filled.reason
    assert ("nothing is cut" in filled.reason) is (longest <= length)


def test_a_few_very_long_rows_may_be_cut_instead() -> None:
    counted = lab.tokens(row=lab.spread(100, 200, 9000, 150_000))
    filled = decided("training.max_seq_len", on(SMALL), known(lab.rows(tokens=counted)))
    assert [other.value for other in filled.alternatives] == [256]


@pytest.mark.parametrize(
    ("rows", "batch", "steps"),
    [
        (1_500, 32, 138),
        (10_000, 128, 234),
        (100_000, 128, 1562),
        (1_000_000, 128, 7812),
        (100, 8, 36),
        (5, 5, 3),
        (1, 1, 3),
    ],
)
def test_batch_and_steps_give_a_hundred_steps_in_at_most_three_passes(rows: int, batch: int, steps: int) -> None:
    done = complete(said(), known(lab.rows(count=rows)))
    assert (done["training.train_batch_size"].value, done["training.num_steps"].value) == (batch, steps)


def test_a_long_run_offers_a_pilot_and_a_short_one_does_not() -> None:
    long = decided("training.num_steps", said(), known(lab.rows(count=1_000_000)))
    assert [other.value for other in long.alternatives] == [500]
    assert "pilot" in long.alternatives[0].why
    short = decided("training.num_steps", said(), known())
    assert [other.value for other in short.alternatives] == [46]


def test_a_pilot_comes_without_a_range_test_which_is_offered_within_the_models_cap() -> None:
    done = complete(said(), known(lab.rows(count=100_000)))
    test = done["pilot.range_test"]
    assert test.value is None
    [offered] = test.alternatives
    assert offered.label == "with a range test"
    terms = RangeTest.model_validate(offered.value)
    rank = done["training.lora_rank"].value
    assert set(terms.lora_ranks) <= {rank // 4, rank * 4}
    assert max(terms.lora_ranks) <= 128
    assert str(5 * (1 + len(terms.lora_ranks))) in offered.why


def test_a_budget_shortens_the_run_and_says_so() -> None:
    facts = known(lab.rows(tokens=lab.tokens()))
    draft = on(SMALL, budget__max_cost_usd=0.7)
    done = complete(draft, facts)
    assert done["training.num_steps"].value < 138
    assert done["training.num_steps"].reason.startswith(
        "what $0.7000 pays for with a fifth to spare; without it 138: 3 p"
    )
    cost = estimate_cost(Plan.model_validate(nested(done)), facts, SMALL.price).total.expected_usd
    assert cost is not None
    assert 0.5 < cost <= 0.56


@pytest.mark.parametrize(
    ("draft", "steps"),
    [
        (on(SMALL, budget__max_cost_usd=50), 138),
        (on(SMALL, budget__max_cost_usd=0.001), 138),
        (on(SMALL, budget__max_cost_usd=0.4, training__num_steps=900), 900),
        (on(SMALL, budget__max_cost_usd="much"), 138),
        (on(SMALL, budget__max_cost_usd=0.4, method="odd"), 138),
    ],
)
def test_steps_are_left_alone_where_fewer_would_not_help_or_somebody_chose(draft: Draft, steps: int) -> None:
    assert decided("training.num_steps", draft, known(lab.rows(tokens=lab.tokens()))).value == steps


def test_a_budget_changes_nothing_where_all_is_free() -> None:
    assert decided("training.num_steps", on(TINY, budget__max_cost_usd=0.01), known(server=ENGINE)).value == 138


def test_few_rows_are_not_repeated_until_they_are_known_by_heart() -> None:
    assert "by heart" in decided("training.num_steps", said(), known(lab.rows(count=100))).reason


def test_steps_follow_a_batch_that_somebody_chose() -> None:
    assert decided("training.num_steps", said(training__train_batch_size=100), known()).value == 45


def test_steps_follow_a_token_budget_by_the_mean_row() -> None:
    facts = known(lab.rows(tokens=lab.tokens(mean=140)))
    budget, rows = said(training__batch_tokens=14_000), said(training__train_batch_size=100)
    assert decided("training.num_steps", budget, facts).value == decided("training.num_steps", rows, facts).value
    assert "training.train_batch_size" not in complete(budget, facts)


def test_measurements_are_rare_when_validation_is_dear() -> None:
    cheap = known(lab.rows(), lab.rows(lab.VAL, 60))
    dear = known(lab.rows(), lab.rows(lab.VAL, 1000))
    draft = said(training__val_file=str(lab.VAL))
    often, seldom = (decided("training.eval_every", draft, facts).value for facts in (cheap, dear))
    assert (often, seldom) == (20, 138)
    done = complete(draft, cheap)
    assert done["training.save_every"].value % often == 0


def test_saving_keeps_pace_with_a_long_run() -> None:
    done = complete(said(), known(lab.rows(count=1_000_000)))
    assert (done["training.eval_every"].value, done["training.save_every"].value) == (1000, 1000)
    seldom = [decided("training.save_every", said(training__eval_every=every), known()) for every in (0, 138)]
    assert [filled.value for filled in seldom] == [25, 25]
    assert "measurement" not in seldom[0].reason


@pytest.mark.parametrize("is_free", [False, True])
def test_sampling_methods_count_prompts_and_answers(is_free: bool) -> None:
    server, model = (ENGINE, TINY) if is_free else (PAID_SERVER, SMALL)
    done = complete(on(model, method="rl"), known(lab.rows(), lab.rows(lab.TEST, 200), server=server))
    batch, size = done["training.train_batch_size"].value, done["rl.group_size"].value
    assert (batch, size) == ((16, 8) if is_free else (64, 16))
    assert done["training.num_steps"].value == 100
    assert f"{batch * size:,} answers a step" in done["training.train_batch_size"].reason
    assert done["rl.grader"].value == "numeric"
    assert done["rl.max_tokens"].value == 1024
    assert done["training.max_seq_len"].value >= done["rl.max_tokens"].value
    assert done["evals.score.max_tokens"].value == 1024


def test_every_method_gets_its_section() -> None:
    for method in ("dpo", "rl", "distill", "rlhf"):
        sections = {path.partition(".")[0] for path in complete(on(SMALL, method=method), known())}
        assert sections & {"dpo", "rl", "distill", "rlhf"} == {method}
    assert not [path for path in complete(on(SMALL), known()) if path.startswith(("dpo.", "rl.", "distill.", "rlhf."))]


def test_a_split_brings_its_validation_and_test_rows() -> None:
    parts = {"train": "/runs/train.jsonl", "validation": "/runs/validation.jsonl", "test": "/runs/test.jsonl"}
    split = Split.model_validate(
        {"source": lab.TRAIN, "source_sha256": "x", "rows": (1300, 100, 100), "seed": 0, "method": "seed 0", **parts}
    )
    done = complete(said(training__train_file=parts["train"]), known(splits=(split,)))
    assert (done["training.val_file"].value, done["training.val_file"].by) == (parts["validation"], "data")
    assert (done["evals.score.file"].value, done["evals.score.file"].by) == (parts["test"], "data")
    assert done["training.num_steps"].reason.startswith("3 passes over 1,300 rows")
    assert done["training.run_name"].value == "solutions-sft"
    assert done["training.input_field"].value == "question"
