"""Rows of real runs of the tiny model on the local engine, in which nothing went wrong: no rule says a word.

SFT on the demo task and on GSM8K, DPO on pairs made for the tiny model, RL on its demo task; several learning rates,
batches and schedules. Recorded with `tcao run`; each file has the part of the plan that rules read, and the rows.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.watch import Watcher

FILES = sorted((Path(__file__).parent / "healthy_runs").glob("*.json"))


def test_there_are_ten_healthy_runs_of_several_methods() -> None:
    methods = [json.loads(file.read_text())["plan"].get("method", "sft") for file in FILES]
    assert len(methods) >= 10
    assert set(methods) == {"sft", "dpo", "rl"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_healthy_run_raises_no_alert(file: Path) -> None:
    record = json.loads(file.read_text())
    identity = {"base_model": "tcao/tiny-qwen3", "run_name": file.stem, "train_file": "train.jsonl"}
    plan = Plan.model_validate({**record["plan"], "training": {**identity, **record["plan"]["training"]}})
    watcher = Watcher(plan)
    found = [
        alert
        for step, trained, values in record["rows"]
        for alert in watcher.observe(step, values, trained=bool(trained), spent_usd=0.0)
    ]
    assert found == []
