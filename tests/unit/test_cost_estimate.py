"""What a plan may cost: by hand-counted tokens, unknown where a price or a file is, nothing where all is free."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.cost import CostEstimate, CostRange
from tcao_tui.domain.cost_estimate import estimate_cost
from tcao_tui.domain.data_profile import DataProfile, Split
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.row_tokens import profile_of, row_tokens
from tests.fakes import offered_models as lab
from tests.fakes.offered_models import FREE, LARGE, MIXTURE, PAID_SERVER, TEST, TRAIN, VAL, known

PRICES = lab.quote(1.0, 0.5, 2.0)
COUNTED = lab.rows(tokens=lab.tokens(mean=100, answer=60))
BENCHMARKS = [{"name": "inspect_evals/mgsm", "limit": 50}]


def plan(**changes: Any) -> Plan:
    training = {
        "base_model": MIXTURE.name,
        "run_name": "r",
        "train_file": str(TRAIN),
        "learning_rate": 1e-4,
        "num_steps": 100,
        "train_batch_size": 10,
        "eval_every": 50,
        "save_every": 50,
    }
    sections = {key: value for key, value in changes.items() if key != "training"}
    return Plan.model_validate({"training": training | changes.get("training", {}), **sections})


def line(estimate: CostEstimate, kind: str) -> Any:
    return next(line for line in estimate.lines if line.kind == kind)


def test_training_is_steps_times_rows_times_measured_tokens() -> None:
    estimate = estimate_cost(plan(), known(COUNTED), PRICES)
    training = line(estimate, "training")
    assert training.tokens == 100 * 10 * 100
    assert training.usd == CostRange(pytest.approx(0.098), pytest.approx(0.1), pytest.approx(0.102))
    assert "all rows tokenised" in training.how
    assert [found.kind for found in estimate.lines] == ["training", "storage"]
    assert estimate.price_source == "a list"


def test_the_cells_of_a_range_test_are_counted_apart_from_the_steps_of_the_run() -> None:
    pilot = {"steps": 2, "range_test": {"steps": 10, "lora_ranks": [8, 64]}}
    plain, both = (estimate_cost(asked, known(COUNTED), PRICES) for asked in (plan(), plan(pilot=pilot)))
    tested = line(both, "range test")
    assert tested.tokens == 15 * 10 * 10 * 100
    assert tested.how.startswith("15 cells of 10 steps of 10 rows")
    assert line(both, "training") == line(plain, "training")
    assert plain.total.expected_usd is not None
    assert both.total.expected_usd == pytest.approx(plain.total.expected_usd + 0.15)


@pytest.mark.parametrize(("budget", "a_step"), [(5_000, 5_000), (10, 400), (10**9, 150_000)])
def test_a_token_budget_is_trained_at_each_step_but_no_less_than_a_row_and_no_more_than_all(
    budget: int, a_step: int
) -> None:
    training = line(estimate_cost(plan(training={"batch_tokens": budget}), known(COUNTED), PRICES), "training")
    assert training.tokens == 100 * a_step
    assert f"{budget:,} tokens" in training.how


def test_rows_are_counted_no_longer_than_they_are_trained() -> None:
    estimate = estimate_cost(plan(training={"max_seq_len": 40}), known(COUNTED), PRICES)
    assert line(estimate, "training").tokens == 100 * 10 * 40


def test_rows_that_were_not_tokenised_have_a_wide_range() -> None:
    training = line(estimate_cost(plan(), known(lab.rows()), PRICES), "training")
    assert training.tokens == 1000 * 520 / 4
    assert training.usd.low_usd == pytest.approx(1000 * 520 / 5 / 1e6)
    assert training.usd.high_usd == pytest.approx(1000 * 520 / 2.5 / 1e6)
    assert "not tokenised yet" in training.how


def test_tokens_of_another_model_are_less_sure() -> None:
    other = plan(training={"base_model": LARGE.name})
    training = line(estimate_cost(other, known(COUNTED), PRICES), "training")
    assert training.usd.high_usd == pytest.approx(0.13)
    assert "another model" in training.how


def test_validation_is_a_forward_pass_at_the_price_of_training() -> None:
    validation = lab.rows(VAL, 20, tokens=lab.tokens(20, mean=100))
    estimate = estimate_cost(plan(training={"val_file": str(VAL)}), known(COUNTED, validation), PRICES)
    found = line(estimate, "validation")
    assert found.tokens == 3 * 20 * 100
    assert found.usd.expected_usd == pytest.approx(0.006)
    assert "3 times 20 rows" in found.how


def test_a_score_is_taken_before_and_after() -> None:
    scored = lab.rows(TEST, 30, tokens=lab.tokens(30, mean=100, answer=60))
    wanted = plan(evals={"score": {"file": str(TEST), "max_rows": 20, "max_tokens": 80}})
    found = line(estimate_cost(wanted, known(COUNTED, scored), PRICES), "evals")
    assert found.tokens == 2 * 20 * (40 + 60)
    assert found.usd.expected_usd == pytest.approx(40 * (40 * 0.5 + 60 * 2.0) / 1e6)
    assert found.usd.high_usd == pytest.approx(40 * (44 * 0.5 + 80 * 2.0) / 1e6)


def test_sample_prompts_and_benchmarks_are_counted() -> None:
    wanted = plan(evals={"sample_prompts": ["x" * 40], "sample_max_tokens": 10, "benchmarks": BENCHMARKS})
    estimate = estimate_cost(wanted, known(COUNTED), PRICES)
    assert line(estimate, "evals").tokens == 3 * (10 + 7) + 2 * 50 * (250 + 260)
    assert "inspect_evals/mgsm: 50 samples" in line(estimate, "evals").how
    odd = plan(evals={"benchmarks": [{"name": "inspect_evals/unheard_of", "limit": None}]})
    assert line(estimate_cost(odd, known(COUNTED), PRICES), "evals").tokens == 2 * 1000 * (500 + 300)


def test_judges_of_benchmarks_are_left_out_and_that_is_said() -> None:
    judged = plan(evals={"benchmarks": [{"name": "inspect_evals/xstest"}]})
    assert any("judges" in text for text in estimate_cost(judged, known(COUNTED), PRICES).not_counted)
    assert not any("judges" in text for text in estimate_cost(plan(), known(COUNTED), PRICES).not_counted)


def test_storage_follows_rank_checkpoints_and_their_life() -> None:
    storage = line(estimate_cost(plan(), known(COUNTED), PRICES), "storage")
    size = 32 * 17_545_728
    assert storage.usd.expected_usd == pytest.approx(size * 14 * (1 + 1 * 7 / 30) / 1e9 * 0.1)
    many = line(estimate_cost(plan(training={"save_every": 1}), known(COUNTED), PRICES), "storage")
    assert many.usd.expected_usd == pytest.approx(size * 14 * (1 + 2 * 7 / 30) / 1e9 * 0.1)
    unknown = known(COUNTED, server=PAID_SERVER.model_copy(update={"models": ()}))
    estimate = estimate_cost(plan(), unknown, PRICES)
    assert [found.kind for found in estimate.lines] == ["training"]
    assert "adapter's size is not known" in estimate.not_counted[0]


def test_preferences_train_both_sides_after_a_forward_pass_and_the_reference_reads_each_pair_once() -> None:
    pairs = lab.pairs(tokens=lab.tokens(731, mean=100, answer=120))
    estimate = estimate_cost(plan(method="dpo", dpo={}), known(pairs), PRICES)
    found = line(estimate, "training")
    assert found.usd.expected_usd == pytest.approx((1000 * 190 * 2 * 1.0 + 731 * 190 * 0.5) / 1e6)
    assert found.usd.high_usd == pytest.approx((1000 * 204 * 2 * 1.0 + 731 * 204 * 0.5) / 1e6)
    assert found.usd.low_usd == pytest.approx((1000 * 160 * 0.98 * 1.0 + 731 * 160 * 0.98 * 0.5) / 1e6)


def test_rl_pays_for_prompts_answers_and_training() -> None:
    estimate = estimate_cost(plan(method="rl", rl={"group_size": 4, "max_tokens": 80}), known(COUNTED), PRICES)
    sampling, training = line(estimate, "sampling"), line(estimate, "training")
    answers = 100 * 10 * 4
    cached = 40 * (1 + 0.2 * 3) / 4
    assert sampling.tokens == round(answers * (cached + 60))
    assert training.tokens == answers * 100
    assert sampling.usd.high_usd == pytest.approx(answers * (44 * 0.5 + 60 * 2.0) / 1e6)


def test_a_teacher_has_its_own_price() -> None:
    def distilled(teacher: str) -> CostRange:
        section = {"teacher_model": teacher, "group_size": 2, "max_tokens": 80}
        return line(estimate_cost(plan(method="distill", distill=section), known(COUNTED), PRICES), "sampling").usd

    answers = 100 * 10 * 2
    own = answers * (40 * 0.6 * 0.5 + 60 * 2.0) / 1e6
    assert distilled(LARGE.name).expected_usd == pytest.approx(own + answers * 100 * 3.0 / 1e6)
    assert distilled("nobody/knows") == CostRange(None, None, None)


def test_rlhf_counts_its_three_stages() -> None:
    section = {"reward_steps": 10, "rl_steps": 5, "group_size": 2, "max_tokens": 80}
    estimate = estimate_cost(plan(method="rlhf", rlhf=section), known(COUNTED), PRICES)
    assert line(estimate, "training").tokens == 1000 * 100 + 10 * 10 * 190 + 5 * 10 * 2 * 100
    asked = 5 * 10 * 2 * (40 + 60 + 60 + 40)
    reference = 5 * 10 * 2 * 100
    assert line(estimate, "sampling").tokens == 5 * 10 * 2 * (24 + 60) + asked + reference


def test_a_pipeline_costs_what_its_stages_cost() -> None:
    stages = [{"name": "a", "method": "sft"}, {"name": "b", "method": "dpo", "set": {"dpo.beta": 0.1}}]
    whole = estimate_cost(plan(method="pipeline", stages=stages), known(COUNTED), PRICES)
    parts = [
        estimate_cost(plan(method=method, **more), known(COUNTED), PRICES)
        for method, more in (("sft", {}), ("dpo", {"dpo": {"beta": 0.1}}))
    ]
    assert line(whole, "training").tokens == sum(line(part, "training").tokens for part in parts)
    expected = [line(part, "training").usd.expected_usd or 0.0 for part in parts]
    assert line(whole, "training").usd.expected_usd == pytest.approx(sum(expected))


def test_answers_that_are_imitated_are_given_once_and_trained_every_time() -> None:
    section = {"teacher_model": LARGE.name, "mode": "off_policy", "max_tokens": 80}
    wanted = plan(method="distill", distill=section)
    estimate = estimate_cost(wanted, known(COUNTED), PRICES)
    trained = wanted.training.num_steps * wanted.training.train_batch_size
    given = min(trained, COUNTED.rows)
    assert line(estimate, "training").tokens == trained * 100 + given * 100


FIELDS = ("train_usd", "prefill_usd", "sample_usd", "storage_usd_per_gb_month")


@given(st.sets(st.sampled_from(FIELDS)), st.booleans(), st.sampled_from(["sft", "dpo", "rl", "rlhf"]))
def test_a_needed_price_that_is_unknown_makes_the_total_unknown(
    missing: set[str], with_score: bool, method: str
) -> None:
    quote = PRICES.model_copy(update=dict.fromkeys(missing))
    evals = {"score": {"file": str(TEST)}} if with_score else {}
    wanted = plan(method=method, evals=evals, **({} if method == "sft" else {method: {}}))
    estimate = estimate_cost(wanted, known(COUNTED, lab.rows(TEST, 20)), quote)
    samples = with_score or method in ("rl", "rlhf")
    needed = {"train_usd", "storage_usd_per_gb_month"} | ({"prefill_usd", "sample_usd"} if samples else set())
    needed |= {"prefill_usd"} if method == "dpo" else set()
    assert (estimate.total.expected_usd is None) is bool(missing & needed)
    assert not estimate.is_free


@given(st.integers(1, 5000), st.integers(1, 300), st.integers(0, 500), st.sampled_from([COUNTED, lab.rows()]))
def test_the_range_is_in_order_and_grows_with_the_steps(
    steps: int, batch: int, every: int, profile: DataProfile
) -> None:
    def cost(count: int) -> CostRange:
        training = {"num_steps": count, "train_batch_size": batch, "eval_every": every, "val_file": str(VAL)}
        return estimate_cost(plan(training=training), known(profile, lab.rows(VAL, 10)), PRICES).total

    total, longer = cost(steps), cost(steps + 1)
    assert 0 < cast("float", total.low_usd) <= cast("float", total.expected_usd) <= cast("float", total.high_usd)
    assert cast("float", longer.expected_usd) > cast("float", total.expected_usd)


def test_the_local_engine_costs_nothing_and_says_so() -> None:
    estimate = estimate_cost(plan(method="rl", rl={}), known(COUNTED), FREE)
    assert estimate.is_free
    assert estimate.total == CostRange(0.0, 0.0, 0.0)
    assert estimate.price_source == "local engine: free"
    assert estimate.not_counted == ()
    assert line(estimate, "training").tokens > 0


@pytest.mark.parametrize("missing", [TRAIN, VAL, TEST])
def test_a_file_that_nobody_inspected_makes_the_total_unknown(missing: Path) -> None:
    files = [profile for profile in (COUNTED, lab.rows(VAL, 10), lab.rows(TEST, 10)) if profile.path != missing]
    wanted = plan(training={"val_file": str(VAL)}, evals={"score": {"file": str(TEST)}})
    estimate = estimate_cost(wanted, Facts(profiles=tuple(files), capabilities=PAID_SERVER), PRICES)
    assert estimate.total.expected_usd is None
    assert any("not inspected" in found.how for found in estimate.lines)


def test_parts_of_a_split_are_known_by_their_source() -> None:
    parts = {"train": Path("/s/train.jsonl"), "validation": Path("/s/val.jsonl"), "test": None}
    split = Split.model_validate(
        {"source": TRAIN, "source_sha256": "x", "rows": (1200, 300, 0), "seed": 0, "method": "m", **parts}
    )
    facts = known(COUNTED, splits=(split,))
    part = profile_of(facts, parts["validation"])
    assert part is not None
    assert part.rows == 300
    tokens = row_tokens(part, MIXTURE.name)
    assert tokens is not None
    assert tokens.row.expected == pytest.approx(100)
    assert profile_of(facts, "/s/other.jsonl") is None
    assert profile_of(facts, None) is None


def test_the_answer_of_a_problem_is_not_in_its_row() -> None:
    counted = lab.tokens(mean=50, answer=0)
    problem = lab.rows(kind="problem", kinds=("problem",), tokens=counted, answer_chars=lab.spread(8, 10, 20, 12_000))
    tokens = row_tokens(problem, MIXTURE.name)
    assert tokens is not None
    assert (tokens.prompt.expected, tokens.answer.expected, tokens.longest_answer) == (50, 2, 8)
    guessed = row_tokens(problem.model_copy(update={"tokens": None}))
    assert guessed is not None
    assert guessed.row == guessed.prompt


def test_a_file_that_was_not_tokenised_has_the_training_files_characters_per_token() -> None:
    scored = lab.rows(TEST, 30)
    alone, beside = row_tokens(scored), row_tokens(scored, like=COUNTED)
    assert alone is not None
    assert beside is not None
    assert alone.row.expected == pytest.approx(130)
    assert beside.row.expected == pytest.approx(100)
    assert "5.2 characters a token, as in training" in beside.how
    assert row_tokens(scored, like=lab.rows()) == alone


def test_bytes_stand_in_where_nothing_else_is_known() -> None:
    bare = lab.rows(count=100, size_bytes=40_000, prompt_chars=None, answer_chars=None)
    tokens = row_tokens(bare)
    assert tokens is not None
    assert tokens.row.expected == 100
    assert row_tokens(bare.model_copy(update={"compression": "gz"})) is None
    assert row_tokens(bare.model_copy(update={"rows": 0})) is None


def test_an_estimate_needs_no_price_for_what_it_does_not_use() -> None:
    quote = PriceQuote(backend="x", source="s", train_usd=1.0, storage_usd_per_gb_month=0.0)
    assert estimate_cost(plan(), known(COUNTED), quote).total.expected_usd == pytest.approx(0.1)
