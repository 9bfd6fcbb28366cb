"""Public benchmarks: our table agrees with the installed catalogue, and tasks say all that a score depends on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tcao_tui.clients.benchmark_catalogue import read_catalogue
from tcao_tui.domain.benchmarks.safeguards import SAFEGUARDS
from tcao_tui.domain.benchmarks.settings import THINKING_TOKENS
from tcao_tui.domain.benchmarks.table import BENCHMARKS, SUITES, WITHOUT_ONE_NUMBER, benchmark_named, offered_for, suite
from tcao_tui.domain.plan import BenchmarkSpec, EvalPlan, Success
from tcao_tui.domain.use_cases import USE_CASES
from tcao_tui.errors import UsageError
from tcao_tui.paths import templates_dir
from tcao_tui.services.benchmarks import (
    benchmark_names,
    benchmark_task,
    model_roles,
    plan_benchmarks,
)
from tcao_tui.store.plan_file import read_plan

HEAVY = {"inspect_ai", "datasets", "torch", "transformers", "pandas", "huggingface_hub"}


def test_the_catalogue_is_read_without_loading_inspect() -> None:
    program = (
        "import sys\n"
        "import tcao_tui.services.benchmarks as ours\n"
        "assert not [name for name in sys.modules if name.startswith('inspect_')], 'loaded before it was asked for'\n"
        "assert len(ours.read_catalogue()) > 200\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "inspect_evals" in done.stdout.split()
    assert not HEAVY & {*done.stdout.split()}
    assert done.stderr == ""


def test_every_benchmark_of_ours_is_in_the_catalogue_with_its_size_and_what_it_needs() -> None:
    installed = read_catalogue()
    assert {name: installed[name].samples for name in BENCHMARKS} == {n: b.samples for n, b in BENCHMARKS.items()}
    for name, ours in BENCHMARKS.items():
        listed = installed[name]
        assert ("Docker" in ours.needs) == (listed.uses_sandbox and "sandbox" not in ours.spares), name
        assert not listed.extra or f"inspect-evals[{listed.extra.replace('-', '_')}]" in ours.needs, name
        assert not listed.uses_internet or "internet" in {*ours.spares, *ours.needs.split()}, name
        assert "model" in ours.needs or not any(helper.decides for helper in ours.helpers), name
        assert ours.why.endswith("."), name
        assert not ours.caveat or ours.caveat.endswith("."), name


def test_the_whole_group_safeguards_is_known_but_for_what_cannot_be_compared() -> None:
    group = {listed.name for listed in read_catalogue().values() if listed.group == "Safeguards"}
    without = {f"inspect_evals/{task}" for task in WITHOUT_ONE_NUMBER}
    assert group - {ours.name for ours in SAFEGUARDS} - without == {"inspect_evals/abstention_bench"}
    assert without <= group
    assert "inspect_evals/xstest" in benchmark_names(["safeguards"])


@pytest.mark.parametrize("use", USE_CASES)
def test_each_use_has_a_suite_of_which_the_first_are_offered(use: str) -> None:
    assert suite(use)[: len(offered_for(use))] == offered_for(use)
    assert 1 <= len(offered_for(use)) <= 3


def test_suites_and_names_become_full_names_once_each() -> None:
    names = benchmark_names(["general", "gsm8k", "inspect_evals/gsm8k", "mine.py@task", "other_package/task"])
    assert names == [*(b.name for b in suite("general")), "mine.py@task", "other_package/task"]
    assert {"general", *USE_CASES} <= {*SUITES}


@pytest.mark.parametrize(
    ("name", "near"), [("gsm8", "gsm8k"), ("wmdp", "wmdp_bio or wmdp_chem"), ("assistant_bench", "closed_book"),
                       ("inspect_evals/mmlu_zero_shot", "mmlu_0_shot"), ("generall", "general")]
)  # fmt: skip
def test_a_task_that_does_not_exist_is_answered_with_the_nearest_ones(name: str, near: str) -> None:
    with pytest.raises(UsageError, match="has no task") as told:
        benchmark_names([name])
    assert near in told.value.next_step


def test_a_task_has_all_that_its_score_depends_on() -> None:
    task = benchmark_task("gsm8k", limit=50, seed=7)
    assert (task.name, task.target, task.layer, task.harness) == (
        "inspect_evals/gsm8k", "inspect_evals/gsm8k", 2, "inspect",
    )  # fmt: skip
    assert (task.limit, task.seed, task.scorer, task.higher_is_better) == (50, 7, "match", True)
    assert task.generate == {"temperature": 0.0}
    assert task.version.startswith("inspect-evals 0.26")
    assert task.version.endswith(read_catalogue()["inspect_evals/gsm8k"].version)
    assert task.identity != benchmark_task("gsm8k", limit=50, seed=8).identity
    assert task.identity == benchmark_task("gsm8k", limit=50, seed=7, is_guardrail=True, judge="openai/x").identity


def test_lower_is_better_where_the_number_counts_harm() -> None:
    lower = {"agentharm", "wmdp_bio", "fortress_benign", "persistbench_sycophancy", "agentdojo"}
    higher = {"agentharm_benign", "xstest", "strong_reject", "persistbench_beneficial_memory", "gsm8k"}
    assert {name for name in lower | higher if not benchmark_task(name).higher_is_better} == lower


def test_a_task_that_sets_its_own_temperature_keeps_it() -> None:
    assert benchmark_task("mmlu_0_shot").generate == {}
    assert benchmark_task("hellaswag").generate == {}, "unknown to us, so nothing is said"


def test_caps_on_answers_are_lifted_for_models_that_think() -> None:
    mmlu = benchmark_task("mmlu_0_shot", thinks=True)
    assert mmlu.arguments == {"max_non_cot_tokens": THINKING_TOKENS}
    assert mmlu.generate == {"max_tokens": THINKING_TOKENS}
    assert benchmark_task("mmlu_0_shot").arguments == {}
    assert benchmark_task("xstest", thinks=True).generate == {"max_tokens": THINKING_TOKENS}
    assert benchmark_task("gsm8k", thinks=True).generate == {"temperature": 0.6, "max_tokens": THINKING_TOKENS}


def test_a_judge_is_named_as_each_task_takes_it() -> None:
    judge = "anthropic/claude"
    assert benchmark_task("xstest", judge=judge).arguments == {"scorer_model": judge}
    assert benchmark_task("fortress_adversarial", judge=judge).arguments == {"grader_models": [judge]}
    assert {*benchmark_task("agentharm", judge=judge).arguments} == {"refusal_judge", "semantic_judge"}
    played = benchmark_task("tau2_retail", judge=judge)
    assert (played.arguments, model_roles(played)) == ({}, {"user": judge})
    assert model_roles(benchmark_task("xstest", judge=judge)) == {}
    assert model_roles(benchmark_task("mine/task", judge=judge)) == {"grader": judge}
    assert benchmark_task("gsm8k", judge=judge).judge == ""
    assert benchmark_task("xstest").judge == "openai/gpt-4o"
    assert benchmark_task("fortress_adversarial").judge == ""


def test_a_file_of_tasks_is_named_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("one = 1\n")
    before = benchmark_task(f"{file}@one")
    file.write_text("one = 2\n")
    assert before.content != benchmark_task(f"{file}@one").content
    with pytest.raises(UsageError, match="no such file of tasks"):
        benchmark_task(f"{tmp_path}/none.py@one")


def test_a_plans_benchmarks_are_drawn_with_its_seed_and_guard_what_must_not_get_worse() -> None:
    listed = (BenchmarkSpec(name="inspect_evals/gsm8k", limit=20), BenchmarkSpec(name="inspect_evals/mmlu_0_shot"))
    demo = read_plan(templates_dir() / "demo-plan.yaml")
    thinking = demo.model_copy(
        update={
            "evals": EvalPlan(benchmarks=listed),
            "success": Success(must_not_regress=("inspect_evals/mmlu_0_shot",)),
            "training": demo.training.model_copy(update={"renderer_name": "qwen3"}),
        }
    )
    gsm8k, mmlu = plan_benchmarks(thinking)
    assert (gsm8k.limit, gsm8k.seed, gsm8k.is_guardrail) == (20, demo.training.seed, False)
    assert (mmlu.limit, mmlu.is_guardrail) == (100, True)
    assert mmlu.arguments["max_non_cot_tokens"] == THINKING_TOKENS


def test_more_answers_where_there_are_few_samples() -> None:
    aime = benchmark_named("inspect_evals/aime2026")
    assert aime is not None
    assert (benchmark_task("aime2026").epochs, benchmark_task("aime2026", epochs=1).epochs) == (4, 1)
    assert (aime.answers(100), aime.answers(10), aime.answers(None)) == (120, 40, 120)
