"""Small RL runs on a real engine with a random model, whose answers are noise: rewards come by chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tcao_tui.domain.method_params import RlParams
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.methods import METHODS
from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_backend import open_backend
from tests.fakes.recording_context import RecordingContext

BATCH, GROUP = 2, 4
BY_CHANCE = "python:tests.fakes.own_grader:even_length"


def write_problems(path: Path, count: int, first: int = 0) -> Path:
    rows = [{"problem": f"say {n}", "answer": str(n)} for n in range(first, first + count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make_plan(directory: Path, *, rl: dict[str, Any] | None = None, **changes: Any) -> Plan:
    settings: dict[str, Any] = {
        "base_model": "random",
        "run_name": "r",
        "train_file": write_problems(directory / "train.jsonl", 7),
        "lora_rank": 4,
        "max_seq_len": 64,
        "train_batch_size": BATCH,
        "num_steps": 4,
        "eval_every": 0,
        "save_every": 0,
        "learning_rate": 1e-3,
        "renderer_name": "qwen3_instruct",
        **changes,
    }
    params = RlParams.model_validate({"grader": BY_CHANCE, "group_size": GROUP, "max_tokens": 4, **(rl or {})})
    return Plan(method="rl", training=TrainingConfig(**settings), rl=params)


async def carry_out(engine: EngineProcess, plan: Plan, run_dir: Path, **options: Any) -> RecordingContext:
    backend = await open_backend(engine)
    context = RecordingContext(plan, backend, run_dir=run_dir, **options)
    try:
        await METHODS.load("rl")(context)
    finally:
        await backend.close("success")
    return context
