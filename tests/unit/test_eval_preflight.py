"""What stands in the way of evals is said before they start, at once, with the command that mends it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.obstacle import Obstacle
from tcao_tui.services.backends import KeySource, Profile
from tcao_tui.services.benchmarks import benchmark_task
from tcao_tui.services.eval_preflight import environment, preflight
from tests.fakes.loopback import NothingThere, served

LOCAL = Profile("local", "engine", None, KeySource("engine"), "--backend")


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with served(NothingThere) as url:
        yield url


@pytest.fixture
def dead_hub() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def surroundings(tmp_path: Path, hub: str, **more: str) -> dict[str, str]:
    return {"PATH": str(tmp_path), "HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub, **more}


def found(task: EvalTask, environ: Mapping[str, str], *, thinks: bool = False) -> list[Obstacle]:
    return [obstacle for obstacle in preflight([task], environ, thinks=thinks) if obstacle.blocks]


def test_nothing_stands_in_the_way_of_a_task_that_has_all(tmp_path: Path, hub: str) -> None:
    assert preflight([benchmark_task("gsm8k")], surroundings(tmp_path, hub)) == []


def test_a_hub_that_does_not_answer_is_found_with_a_cold_cache(tmp_path: Path, dead_hub: str) -> None:
    [obstacle] = found(benchmark_task("gsm8k"), surroundings(tmp_path, dead_hub))
    assert obstacle.task == "inspect_evals/gsm8k"
    assert obstacle.what == f"{dead_hub[7:]} does not answer, and openai/gsm8k is not in the cache of this machine"
    assert "HF_ENDPOINT" in obstacle.fix


def test_what_is_cached_counts_only_where_it_is_found_without_the_hub(tmp_path: Path, dead_hub: str) -> None:
    for name in ("cais___mmlu", "openai___gsm8k"):
        cached = tmp_path / "hf/datasets" / name / "all/0.0.0/abc/test.arrow"
        cached.parent.mkdir(parents=True)
        cached.touch()
    environ = surroundings(tmp_path, dead_hub)
    [mmlu] = preflight([benchmark_task("mmlu_0_shot")], environ)
    assert mmlu.what == f"{dead_hub[7:]} does not answer; cais/mmlu is taken from the cache"
    assert not mmlu.blocks
    [gsm8k] = found(benchmark_task("gsm8k"), environ)
    assert "asks the hub even for what is in the cache" in gsm8k.what


def test_a_switch_that_keeps_the_hub_away_is_named(tmp_path: Path, hub: str) -> None:
    [obstacle] = found(benchmark_task("gsm8k"), surroundings(tmp_path, hub, HF_HUB_OFFLINE="1"))
    assert obstacle.fix == "unset HF_HUB_OFFLINE"


def test_the_process_of_a_task_is_kept_from_waiting_for_a_hub_that_is_away(
    tmp_path: Path, hub: str, dead_hub: str
) -> None:
    task = benchmark_task("gsm8k")
    there = environment(task, LOCAL, surroundings(tmp_path, hub, HF_HUB_ETAG_TIMEOUT="3"))
    assert "HF_HUB_OFFLINE" not in there
    assert "HF_HUB_ETAG_TIMEOUT" not in there, "what a person set stays"
    assert there["TCAO_BACKEND"] == "local"
    assert environment(task, LOCAL, surroundings(tmp_path, dead_hub))["HF_HUB_OFFLINE"] == "1"
    own = benchmark_task("other/task")
    assert "HF_HUB_OFFLINE" not in environment(own, LOCAL, surroundings(tmp_path, dead_hub))


def test_docker_is_missing_or_not_running(tmp_path: Path, hub: str) -> None:
    task, environ = benchmark_task("humaneval"), surroundings(tmp_path, hub)
    [missing] = found(task, environ)
    assert "Docker, which is not installed" in missing.what
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o700)
    [stopped] = found(task, environ)
    assert "not running" in stopped.what
    assert "systemctl start docker" in stopped.fix
    docker.write_text("#!/bin/sh\nexit 0\n")
    assert found(task, environ) == []


def test_programs_of_a_model_on_this_machine_are_warned_of(tmp_path: Path, hub: str) -> None:
    task = benchmark_task("humaneval")
    local = task.model_copy(update={"arguments": {"sandbox": "local"}})
    told = preflight([local], surroundings(tmp_path, hub))
    assert [o.blocks for o in told if "with your rights" in o.what] == [False]
    assert found(local, surroundings(tmp_path, hub)) == []


def test_a_package_that_is_missing_is_named_with_the_command_that_adds_it(tmp_path: Path, hub: str) -> None:
    environ = surroundings(tmp_path, hub, HF_TOKEN="hf_x")
    [agentdojo] = found(benchmark_task("agentdojo"), environ)
    assert "pip install" in agentdojo.fix
    assert "'inspect-evals[agentdojo]==0.26.0'" in agentdojo.fix
    [ifeval] = found(benchmark_task("ifeval"), environ)
    assert "only git has" in ifeval.what
    assert "git+https://github.com/josejg/instruction_following_eval" in ifeval.fix
    assert "langdetect" in ifeval.fix
    assert "another harness" in ifeval.fix
    [isolated] = found(benchmark_task("bold"), environ)
    assert "package of its own" in isolated.what
    assert "subdirectory=packages/bold" in isolated.fix


def test_gated_data_needs_a_token(tmp_path: Path, hub: str) -> None:
    task = benchmark_task("tac")
    [gated] = found(task, surroundings(tmp_path, hub))
    assert "accept the terms" in gated.fix
    assert "HF_TOKEN" in gated.fix
    assert found(task, surroundings(tmp_path, hub, HF_TOKEN="hf_x")) == []
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf/token").write_text("hf_x")
    assert found(task, surroundings(tmp_path, hub)) == []


def test_a_judge_without_a_key_or_package_is_found_before_tokens_are_spent(tmp_path: Path, hub: str) -> None:
    environ = surroundings(tmp_path, hub, HF_TOKEN="hf_x")
    key, package = found(benchmark_task("xstest"), environ)
    assert "openai/gpt-4o, for which there is no key" in key.what
    assert key.fix.startswith("export OPENAI_API_KEY=")
    assert "needs the package openai" in package.what
    assert found(benchmark_task("xstest", judge="tcao/Qwen/Qwen3-8B"), environ) == []
    claude = benchmark_task("xstest", judge="anthropic/claude")
    assert found(claude, {**environ, "ANTHROPIC_API_KEY": "sk-x"}) == []
    assert "no key" in found(claude, environ)[0].what


def test_a_part_that_nobody_plays_is_found(tmp_path: Path, hub: str) -> None:
    [unbound] = found(benchmark_task("tau2_airline"), surroundings(tmp_path, hub))
    assert "role user" in unbound.what
    assert "--judge" in unbound.fix
    assert found(benchmark_task("tau2_airline", judge="tcao/m"), surroundings(tmp_path, hub)) == []


def test_a_judge_of_any_task_is_asked_for_its_key(tmp_path: Path, hub: str) -> None:
    own = EvalTask(name="mine", layer=3, target="tcao/rows", judge="anthropic/claude")
    [obstacle] = found(own, surroundings(tmp_path, hub))
    assert "ANTHROPIC_API_KEY" in obstacle.fix


def test_a_cap_that_cuts_thinking_off_is_found(tmp_path: Path, hub: str) -> None:
    environ, task = surroundings(tmp_path, hub), benchmark_task("mmlu_0_shot")
    [cut] = found(task, environ, thinks=True)
    assert "in the middle of thinking" in cut.what
    assert "max_non_cot_tokens" in cut.fix
    assert found(benchmark_task("mmlu_0_shot", thinks=True), environ, thinks=True) == []


def test_what_misleads_is_said_and_does_not_block(tmp_path: Path, hub: str) -> None:
    environ = surroundings(tmp_path, hub, HF_TOKEN="hf_x")
    tasks = [benchmark_task(name) for name in ("tau2_retail", "hellaswag", "coconot")]
    told = {obstacle.task: obstacle.what for obstacle in preflight(tasks, environ) if not obstacle.blocks}
    assert "Doing nothing" in told["inspect_evals/tau2_retail"]
    assert "not known" in told["inspect_evals/hellaswag"]
    assert "words of the judge" in told["inspect_evals/coconot"]


def test_what_blocks_comes_first(tmp_path: Path, dead_hub: str) -> None:
    tasks = [benchmark_task("agent_threat_bench_memory_poison"), benchmark_task("gsm8k")]
    blocks = [obstacle.blocks for obstacle in preflight(tasks, surroundings(tmp_path, dead_hub))]
    assert blocks == sorted(blocks, reverse=True)
    assert {*blocks} == {True, False}
