"""Tasks of Inspect Evals as they are installed, answered by the engine through our provider.

Their data comes from a stand-in for the hub: real rows of GSM8K, made-up rows in MMLU's form. A model of this size
answers by chance; what is tested is that the real code runs, draws and scores as our table says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log

from tcao_tui import paths
from tcao_tui.domain.benchmarks.settings import THINKING_TOKENS
from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.services.benchmarks import benchmark_task
from tcao_tui.services.eval_preflight import preflight
from tests.fakes.data_hub import GSM8K_ROWS, MMLU_SAMPLES, DataHub, data_hub

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def hub() -> Iterator[DataHub]:
    with data_hub() as opened:
        yield opened


@pytest.fixture(scope="module")
def environ(inspect_places: Path, hub: DataHub) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    return {**kept, **hub.environment(inspect_places / "hf")}


def evaluated(task: EvalTask, environ: Mapping[str, str], log_dir: Path) -> EvalLog:
    """What `inspect eval` makes of a task, as from a shell."""
    inspect = str(Path(sys.executable).with_name("inspect"))
    given = {**task.generate, "max_tokens": 24}
    options = [f"--{key.replace('_', '-')}={value}" for key, value in given.items()]
    options += [f"-T{key}={json.dumps(value)}" for key, value in task.arguments.items()]
    done = subprocess.run(
        [
            *(inspect, "eval", task.target, "--model", f"tcao/{paths.TINY_MODEL_NAME}", "-M", "profile=local"),
            *(f"--limit={task.limit}", f"--sample-shuffle={task.seed}", f"--epochs={task.epochs}", *options),
            *("--display=none", f"--log-dir={log_dir}", "--continue-on-fail"),
        ],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [log] = log_dir.glob("*.eval")
    return read_eval_log(str(log))


def scores(log: EvalLog, name: str) -> list[Any]:
    assert log.status == "success", log.error
    assert log.samples
    assert all(sample.error is None for sample in log.samples)
    return [(sample.scores or {})[name].value for sample in log.samples]


def test_gsm8k_draws_the_same_real_problems_for_everybody(environ: Mapping[str, str], tmp_path: Path) -> None:
    task = benchmark_task("gsm8k", limit=6, seed=7)
    assert not [obstacle for obstacle in preflight([task], environ) if obstacle.blocks]
    first = evaluated(task, environ, tmp_path / "first")
    assert set(scores(first, task.scorer)) <= {"C", "I"}
    again = evaluated(task, environ, tmp_path / "again")
    assert [s.id for s in first.samples or ()] == [s.id for s in again.samples or ()]
    rows = [json.loads(line)["question"] for line in (GSM8K_ROWS / "test.jsonl").read_text().splitlines()]
    asked = [sample.input for sample in first.samples or ()]
    assert len(asked) == 6
    assert {*asked} <= {*rows}
    assert asked != rows[:6], "a draw, not the first ones"
    assert first.eval.config.sample_shuffle == 7


def test_mmlu_is_not_cut_off_for_a_model_that_thinks(environ: Mapping[str, str], tmp_path: Path) -> None:
    task = benchmark_task("mmlu_0_shot", limit=4, thinks=True)
    log = evaluated(task, environ, tmp_path)
    assert set(scores(log, task.scorer)) <= {"C", "I"}
    assert log.eval.task_args["max_non_cot_tokens"] == THINKING_TOKENS
    [generated, *_] = [event for event in (log.samples or [])[0].events if event.event == "model"]
    assert generated.config.max_tokens == THINKING_TOKENS
    assert log.eval.dataset.samples == MMLU_SAMPLES


def test_what_was_fetched_serves_mmlu_without_the_hub(environ: Mapping[str, str], tmp_path: Path) -> None:
    task = benchmark_task("mmlu_0_shot", limit=2)
    evaluated(task, environ, tmp_path / "online")
    offline = {**environ, "HF_HUB_OFFLINE": "1"}
    assert not [obstacle for obstacle in preflight([task], offline) if obstacle.blocks]
    log = evaluated(task, offline, tmp_path / "offline")
    assert len(scores(log, task.scorer)) == 2


@pytest.mark.parametrize("form", ["memory_poison", "autonomy_hijack", "data_exfil"])
def test_agent_benchmarks_run_without_any_hub(environ: Mapping[str, str], tmp_path: Path, form: str) -> None:
    task = benchmark_task(f"agent_threat_bench_{form}", limit=3)
    log = evaluated(task, {**environ, "HF_HUB_OFFLINE": "1"}, tmp_path)
    name, key = task.scorer.split("/")
    assert {score[key] for score in scores(log, name)} <= {"C", "I", 0, 1}
