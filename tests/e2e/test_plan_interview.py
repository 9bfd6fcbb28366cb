"""From rows in a file to a trained model, with nothing but `tcao`: interview, approval, worker, engine, all real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

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
