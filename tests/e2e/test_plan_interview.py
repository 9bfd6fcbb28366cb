"""From rows in a file to a trained model, with nothing but `tcao`: interview, approval, worker, engine, all real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.command_line import CommandLine
from tests.scenarios.rows import FileSpec, write


@pytest.fixture(scope="module")
def tcao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    command_line = CommandLine(tmp_path_factory.mktemp("interview"))
    yield command_line
    command_line.call("engine", "stop")


def test_an_interview_ends_in_a_run_that_trains(tcao: CommandLine) -> None:
    rows = tcao.root / "tickets.jsonl"
    write(rows, FileSpec(rows="labels", count=80))
    answers = {
        "goal": "sort tickets by topic",
        "data": str(rows),
        "training.num_steps": 3,
        "training.train_batch_size": 8,
        "evals.score.max_rows": 2,
        "evals.score.max_tokens": 4,
    }
    (tcao.root / "answers.yaml").write_text(yaml.safe_dump(answers))
    plan = ["plan", "--answers", str(tcao.root / "answers.yaml"), "--defaults", "--backend", "local"]
    made = tcao.ask(*plan)
    assert made["ready"], json.dumps(made["gates"])
    assert made["values"]["training.val_file"]["by"] == "data"
    started = tcao.ask("plan", "--resume", "latest", "--approve", made["approval_hash"], "--launch")
    run = tcao.until(started["run_id"], lambda shown: shown["status"] in ("completed", "failed"))
    assert (run["status"], run["step"], run["method"]) == ("completed", 3, "sft")
    files = {path.name for path in Path(started["directory"]).iterdir()}
    assert {"plan.yaml", "training-config.yaml", "one-pager.md", "examples.md", "scripts"} <= files
    refused = tcao.call("plan", "--resume", "latest", "--approve", made["approval_hash"], "--launch", code=8)
    assert "has this plan already" in refused.stderr


SHORT = {
    "training.num_steps": 2,
    "training.train_batch_size": 4,
    "evals.score.max_rows": 2,
    "evals.score.max_tokens": 4,
}


def interviewed(tcao: CommandLine, method: str, rows: str, **more: object) -> dict[str, Any]:
    """The run that an interview about such rows ends in."""
    data = tcao.root / f"{rows}.jsonl"
    write(data, FileSpec(rows=rows, count=60))
    answers = {"goal": "give better answers", "data": str(data), "method": method, **SHORT}
    if rows == "prompts":
        scored = tcao.root / "scored.jsonl"
        write(scored, FileSpec(rows="maths", count=40, start=9000))
        answers["evals"] = str(scored)
    answers |= {f"{method}.{key}": value for key, value in more.items()}
    said = tcao.root / f"{method}.yaml"
    said.write_text(yaml.safe_dump(answers))
    made = tcao.ask("plan", "--answers", str(said), "--defaults", "--backend", "local")
    assert made["ready"], json.dumps(made["gates"])
    started = tcao.ask("plan", "--resume", "latest", "--approve", made["approval_hash"], "--launch")
    run = tcao.until(started["run_id"], lambda shown: shown["status"] in ("completed", "failed"))
    assert (run["status"], run["method"]) == ("completed", method), run
    return run


@pytest.mark.slow
def test_an_interview_about_pairs_ends_in_a_run_of_dpo(tcao: CommandLine) -> None:
    interviewed(tcao, "dpo", "pairs")


@pytest.mark.slow
def test_an_interview_about_problems_ends_in_a_run_of_rl(tcao: CommandLine) -> None:
    interviewed(tcao, "rl", "maths", group_size=2, max_tokens=4)


@pytest.mark.slow
def test_an_interview_about_a_teacher_ends_in_a_run_of_distillation(tcao: CommandLine) -> None:
    taught = interviewed(tcao, "sft", "labels")
    teacher = {"teacher_model": taught["base_model"], "teacher_checkpoint": taught["checkpoints"][-1]["sampler_path"]}
    interviewed(tcao, "distill", "prompts", group_size=2, max_tokens=4, **teacher)


@pytest.mark.slow
def test_an_interview_about_pairs_ends_in_the_three_stages_of_rlhf(tcao: CommandLine) -> None:
    interviewed(tcao, "rlhf", "pairs", reward_steps=2, rl_steps=2, group_size=2, max_tokens=4)
