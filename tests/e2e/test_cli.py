from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.paths import templates_dir
from tests.fakes.command_line import CommandLine

PLAN = """
goal: a short run
training:
  base_model: tcao/tiny-qwen3
  run_name: short
  train_file: {demo}/train.jsonl
  val_file: {demo}/validation.jsonl
  lora_rank: 8
  max_seq_len: 256
  train_batch_size: 8
  num_steps: {steps}
  learning_rate: 0.003
  eval_every: 0
  save_every: 5
  submit_ahead: 0
evals:
  score: {{file: {demo}/test.jsonl, grader: exact, max_rows: 2, max_tokens: 4}}
"""
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def tcao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    command_line = CommandLine(tmp_path_factory.mktemp("tcao"))
    pace(command_line, 0)
    command_line.call("engine", "start", "--faults", str(command_line.root / "pace.json"))
    yield command_line
    command_line.call("engine", "stop")


@pytest.fixture(scope="module")
def demo(tcao: CommandLine) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(tcao.call("demo", "--output", "json").stdout)
    return told


def launch(tcao: CommandLine, folder: Path, steps: int) -> str:
    plan = folder / "plan.yaml"
    plan.write_text(PLAN.format(demo=templates_dir() / "demo", steps=steps))
    run_id: str = tcao.ask("run", str(plan), "--approve", "auto")["run_id"]
    return run_id


def pace(tcao: CommandLine, step_seconds: float) -> None:
    """How long each step takes from now on: a run must not be over before a command to it has started."""
    rules = [{"verb": "optim_step", "delay_seconds": step_seconds}] if step_seconds else []
    (tcao.root / "pace.json").write_text(json.dumps({"rules": rules}))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_the_demo_lifts_the_score_and_says_where_everything_lies(demo: dict[str, Any]) -> None:
    assert set(demo) == {"run_id", "run_dir", "score_before", "score_after", "steps", "seconds"}
    assert demo["score_before"] < 0.2
    assert demo["score_after"] > 0.9
    assert demo["seconds"] < 120
    assert (Path(demo["run_dir"]) / "plan.yaml").is_file()


def test_a_finished_run_is_listed_shown_and_proven(tcao: CommandLine, demo: dict[str, Any]) -> None:
    assert demo["run_id"] in [run["run_id"] for run in tcao.ask("ls", "--status", "completed")]
    shown = tcao.ask("show", "demo")
    assert (shown["status"], shown["step"], shown["worker_pid"]) == ("completed", shown["total_steps"], None)
    assert shown["checkpoints"][-1]["reason"] == "final"
    assert shown["cost_usd"] == 0
    assert shown["val_loss"] < 0.5
    assert tcao.ask("verify-run", demo["run_id"])["ok"] is True
    assert "demo" in tcao.call("ls").stdout


def test_what_makes_no_sense_for_a_finished_run_is_refused_with_a_reason(
    tcao: CommandLine, demo: dict[str, Any]
) -> None:
    for verb in ("stop", "pause", "checkpoint", "resume"):
        told = tcao.ask(verb, demo["run_id"], code=8)
        assert "completed" in told["error"]["what"]


def test_a_recorded_run_is_played_again_without_training(tcao: CommandLine, demo: dict[str, Any]) -> None:
    stream = tcao.call("replay", demo["run_id"], "--speed", "1000", "--output", "stream-json").stdout.splitlines()
    told = [json.loads(line) for line in stream]
    steps = {item["step"] for item in told if item["type"] == "step"}
    assert set(range(demo["steps"] + 1)) == steps
    assert told[-1]["type"] == "result"
    assert told[-1]["status"] == "completed"


def test_the_demo_plan_passes_every_gate(tcao: CommandLine) -> None:
    told = tcao.ask("check", str(templates_dir() / "demo-plan.yaml"))
    assert told["ready"] is True
    assert [gate["gate"] for gate in told["gates"] if gate["status"] not in ("pass", "warn")] == ["approval"]


def test_a_plan_without_approval_is_not_carried_out(tcao: CommandLine, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN.format(demo=templates_dir() / "demo", steps=2))
    told = tcao.ask("run", str(plan), code=4)
    given = told["approval_hash"]
    assert given in told["error"]["what"]
    assert given == tcao.ask("check", str(plan))["approval_hash"]
    assert tcao.ask("run", str(plan), "--approve", "0" * 16, code=4)["error"]["title"] == "Needs approval"
    done = tcao.call("run", str(plan), "--approve", given, "--wait")
    assert "step 2/2" in done.stderr


def test_a_run_waits_goes_on_ends_and_is_resumed_as_it_is_told(tcao: CommandLine, tmp_path: Path) -> None:
    pace(tcao, 2)
    run_id = launch(tcao, tmp_path, 60)
    tcao.until(run_id, lambda shown: shown["step"] >= 1)
    paused = tcao.ask("pause", run_id, "--wait")
    tcao.until(run_id, lambda shown: shown["status"] == "paused")
    assert tcao.ask("show", run_id)["step"] == paused["step"] < 60
    tcao.ask("pause", run_id, code=8)
    assert tcao.ask("resume", run_id)["run_id"] == run_id
    assert tcao.ask("stop", run_id, "--wait")["status"] == "stopped"
    assert tcao.ask("show", run_id)["step"] < 60
    pace(tcao, 0)
    done = json.loads(tcao.call("resume", run_id, "--wait", "--output", "json").stdout)
    assert (done["status"], done["step"], done["attempt"]) == ("completed", 60, 2)
    assert ": ok" in tcao.call("verify-run", run_id).stdout


def test_a_killed_worker_is_seen_as_lost_and_resumed_exactly(tcao: CommandLine, tmp_path: Path) -> None:
    pace(tcao, 0.5)
    run_id = launch(tcao, tmp_path, 60)
    shown = tcao.until(run_id, lambda now: now["step"] >= 7)
    kill(shown["worker_pid"])
    pace(tcao, 0)
    tcao.until(run_id, lambda now: now["status"] == "lost")
    done = json.loads(tcao.call("resume", run_id, "--wait", "--output", "json").stdout)
    assert (done["status"], done["step"]) == ("completed", 60)
    assert tcao.ask("verify-run", run_id)["ok"] is True


@pytest.mark.slow
def test_a_killed_engine_comes_back_and_the_run_is_finished(tcao: CommandLine, tmp_path: Path) -> None:
    pace(tcao, 0.5)
    run_id = launch(tcao, tmp_path, 60)
    tcao.until(run_id, lambda now: now["step"] >= 7)
    kill(tcao.ask("engine", "status")["pid"])
    pace(tcao, 0)
    tcao.ask("engine", "start")
    shown = tcao.until(run_id, lambda now: now["status"] not in {"running", "waiting", "starting"})
    assert shown["status"] == "completed"
    assert tcao.ask("verify-run", run_id)["ok"] is True
