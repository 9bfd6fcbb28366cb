"""What policy makes of held-out rows, benchmarks, success, budget and name; and what holds for all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.draft import Filled, nested
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.policy.complete import complete
from tcao_tui.domain.use_cases import USE_CASES
from tests.fakes import offered_models as lab
from tests.fakes.offered_models import ENGINE, PAID_SERVER, SMALL, TEST, TINY, known, said

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
SERVERS = [PAID_SERVER, ENGINE, None, PAID_SERVER.model_copy(update={"models": ()})]
FILES = [
    lab.rows(tokens=lab.tokens()),
    lab.rows(count=1_000_000),
    lab.pairs(tokens=lab.tokens(731)),
    lab.rows(kind="problem", kinds=("problem",), answer_shape="number", answer_chars=lab.spread(1, 3, 4, 2500)),
    lab.rows(kind="prompt", kinds=("prompt",), answer_chars=lab.spread(0, 0, 0, 0)),
    lab.rows(count=0, kind=None, kinds=(), prompt_chars=None, answer_chars=None),
    lab.rows(count=3, prompt_chars=None, answer_chars=None, compression="gz"),
]
PATHS = [*sorted(complete(said(method="rlhf"), known(lab.rows(), lab.rows(TEST, 200)))), "distill.teacher_model"]


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Filled]:
    paths = draw(st.lists(st.sampled_from(PATHS), max_size=5, unique=True))
    some: dict[str, Filled] = {path: Filled(value=draw(JSON), by="you") for path in paths}
    return {**said(), **some} if draw(st.booleans()) else some


facts = st.builds(
    lambda file, other, server, graders: known(*([file, other] if other else [file]), server=server, graders=graders),
    st.sampled_from(FILES),
    st.sampled_from([None, lab.rows(TEST, 200), lab.rows(TEST, 40, answer_shape="text")]),
    st.sampled_from(SERVERS),
    st.sampled_from([(), ("exact",), ("exact", "numeric", "json", "includes")]),
)


@given(drafts(), facts)
def test_what_somebody_decided_is_kept_and_a_second_pass_changes_nothing(
    draft: dict[str, Filled], known_facts: Facts
) -> None:
    done = complete(draft, known_facts)
    assert {path: done[path] for path in draft} == draft
    again = complete(done, known_facts)
    assert [*again.items()] == [*done.items()]
    added = [filled for path, filled in done.items() if path not in draft]
    assert all(filled.by in ("policy", "data") and filled.reason for filled in added)


@given(facts, st.sampled_from(["sft", "dpo", "rl", "distill", "rlhf"]))
def test_a_completed_draft_is_a_valid_plan(known_facts: Facts, method: str) -> None:
    teacher = {"distill__teacher_model": "t"} if method == "distill" else {}
    done = complete(said(method=method, **teacher), known_facts)
    if "training.base_model" in done:
        plan = Plan.model_validate(nested(done))
        assert plan.training.lora_rank & (plan.training.lora_rank - 1) == 0
        assert plan.training.num_steps >= 1


def test_draft_and_facts_are_left_as_they_were() -> None:
    draft = said()
    before = dict(draft)
    complete(draft, known())
    assert draft == before


@pytest.mark.parametrize(
    ("shape", "graders", "chosen", "said_so"),
    [
        ("json", ("exact", "json"), "json", "key order"),
        ("json", ("exact",), "exact", "letter by letter"),
        ("number", ("exact", "numeric"), "numeric", "18.0"),
        ("final_number", ("exact", "numeric"), "numeric", "way there"),
        ("final_number", ("exact",), "exact", "no installed grader fits"),
        ("label", ("exact", "includes"), "exact", "labels"),
        ("text", ("exact", "includes"), "includes", "strict"),
        ("text", ("exact",), "exact", "no installed grader fits"),
        ("text", ("judge", "exact"), "judge", "free text"),
        ("text", (), "exact", "no installed grader fits"),
    ],
)
def test_the_grader_fits_the_answers_and_is_installed(
    shape: str, graders: tuple[str, ...], chosen: str, said_so: str
) -> None:
    done = complete(said(), known(lab.rows(), lab.rows(TEST, 200, answer_shape=shape), graders=graders))
    assert done["evals.score.grader"].value == chosen
    assert said_so in done["evals.score.grader"].reason


def test_the_one_other_file_that_was_given_is_what_is_scored() -> None:
    assert complete(said(), known(lab.rows(), lab.rows(TEST, 200)))["evals.score.file"].value == str(TEST)
    three = known(lab.rows(), lab.rows(TEST, 200), lab.rows(Path("/data/third.jsonl"), 90))
    assert "evals.score.file" not in complete(said(), three)
    assert "evals.score.file" not in complete(said(), known(lab.rows(), lab.pairs(path=TEST)))
    used = said(training__val_file=str(TEST))
    assert "evals.score.file" not in complete(used, known(lab.rows(), lab.rows(TEST, 200)))


@pytest.mark.parametrize(("rows", "scored", "points"), [(40, 40, "±15"), (200, 200, "±7"), (5000, 200, "±7")])
def test_how_far_a_score_can_be_trusted_is_said(rows: int, scored: int, points: str) -> None:
    filled = complete(said(), known(lab.rows(), lab.rows(TEST, rows)))["evals.score.max_rows"]
    assert filled.value == scored
    assert points in filled.reason


def test_answers_get_room_for_the_longest_wanted_one_and_for_thinking() -> None:
    files = known(lab.rows(), lab.rows(TEST, 200, tokens=lab.tokens(200, answer=50)))
    plain = said(training__base_model=lab.MIXTURE.name)
    thinking = said(training__base_model=lab.MIXTURE.name, training__renderer_name="qwen3_5")
    rooms = [complete(draft, files)["evals.score.max_tokens"] for draft in (plain, thinking)]
    assert [room.value for room in rooms] == [256, 2304]
    assert "the longest wanted answer has 200 tokens (measured)" in rooms[0].reason


def test_a_bare_result_says_nothing_of_the_way_there() -> None:
    bare = lab.rows(TEST, 200, kind="problem", kinds=("problem",), answer_chars=lab.spread(2, 3, 4, 500))
    assert complete(said(), known(lab.rows(), bare))["evals.score.max_tokens"].value == 608


def test_other_columns_of_the_scored_file_are_named() -> None:
    other = lab.rows(TEST, 200)
    other = other.model_copy(update={"fields": other.fields.model_copy(update={"input_field": "frage"})})
    done = complete(said(), known(lab.rows(), other))
    assert done["evals.score.input_field"].value == "frage"
    assert "evals.score.output_field" not in done


@pytest.mark.parametrize("use", USE_CASES)
def test_benchmarks_are_few_and_say_what_they_measure(use: str) -> None:
    done = complete(said(use_case=use, training__base_model=SMALL.name), known())
    chosen = done["evals.benchmarks"].value
    assert 1 <= len(chosen) <= 3
    assert all(benchmark["why"].endswith(".") and benchmark["limit"] <= 100 for benchmark in chosen)


def test_a_benchmark_that_the_training_file_is_named_after_is_left_out() -> None:
    path = Path("/data/gsm8k_train.jsonl")
    draft = said(training__train_file=str(path), training__base_model=SMALL.name)
    filled = complete(draft, known(lab.rows(path)))["evals.benchmarks"]
    assert "inspect_evals/gsm8k" not in [benchmark["name"] for benchmark in filled.value]
    assert "not inspect_evals/gsm8k" in filled.reason


def test_a_tiny_model_gets_no_benchmarks() -> None:
    filled = complete(said(training__base_model=TINY.name), known(server=ENGINE))["evals.benchmarks"]
    assert filled.value == []
    assert "by chance" in filled.reason


def test_success_is_measured_by_the_best_there_is() -> None:
    scored = complete(said(training__base_model=SMALL.name), known(lab.rows(), lab.rows(TEST, 200)))
    assert (scored["success.metric"].value, scored["success.threshold"].value) == ("score", None)
    assert "inspect_evals/mmlu_pro" in scored["success.must_not_regress"].value
    loss = complete(said(training__val_file="/data/v.jsonl"), known())
    assert loss["success.metric"].value == "val_mean_nll"
    assert "success.metric" not in complete(said(), known())
    both = complete(
        said(training__val_file="/data/v.jsonl", evals__benchmarks="odd"), known(lab.rows(), lab.rows(TEST, 9))
    )
    assert both["success.must_not_regress"].value == ["val_mean_nll"]


def test_a_budget_is_never_invented() -> None:
    assert "budget.max_cost_usd" not in complete(said(), known())
    free = complete(said(), known(server=ENGINE))["budget.max_cost_usd"]
    assert (free.value, free.by) == (None, "policy")
    assert "costs nothing" in free.reason


@pytest.mark.parametrize(
    ("path", "goal", "name"),
    [
        ("/data/Größe & Maß.train.jsonl.gz", "x", "groe-ma-sft"),
        ("/data/数据.jsonl", "Answer customers politely", "answer-customers-politely-sft"),
        ("/data/" + "long_" * 30 + ".jsonl", "x", "long-long-long-long-long-long-long-long-long-lon-sft"),
    ],
)
def test_the_name_comes_from_the_file_or_the_goal(path: str, goal: str, name: str) -> None:
    done: dict[str, Any] = dict(complete(said(training__train_file=path, goal=goal), known()))
    assert done["training.run_name"].value == name
    assert "training.run_name" not in complete({"training.train_file": Filled(value="/数.jsonl", by="you")}, known())
