"""Reinforcement learning through the cookbook's loops and the real SDK on a real engine with a random model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.clients.prices import price_quote
from tcao_tui.clients.tinker_sdk import SdkBackend, connect
from tcao_tui.domain.events import DataLoaded
from tcao_tui.domain.method_params import RlParams
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.methods import METHODS
from tests.fakes.engine_process import EngineProcess
from tests.fakes.recording_context import RecordingContext

BATCH, GROUP, TOKENS = 2, 4, 6


def write_problems(path: Path, count: int, first: int = 0) -> Path:
    rows = [{"problem": f"say {n}", "answer": str(n)} for n in range(first, first + count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make_plan(directory: Path, *, rl: dict[str, Any] | None = None, **changes: Any) -> Plan:
    settings: dict[str, Any] = {
        "base_model": "random",
        "run_name": "r",
        "train_file": write_problems(directory / "train.jsonl", 7),
        "val_file": write_problems(directory / "val.jsonl", 3, first=100),
        "lora_rank": 4,
        "max_seq_len": 64,
        "train_batch_size": BATCH,
        "num_steps": 4,
        "eval_every": 2,
        "save_every": 2,
        "learning_rate": 1e-3,
        "renderer_name": "qwen3_instruct",
        **changes,
    }
    params = RlParams.model_validate({"group_size": GROUP, "max_tokens": TOKENS, **(rl or {})})
    return Plan(method="rl", training=TrainingConfig(**settings), rl=params)


async def open_backend(engine: EngineProcess, run_id: str = "run") -> SdkBackend:
    return await connect(
        base_url=engine.url,
        api_key=engine.key,
        quote=price_quote("engine", engine.url, "random"),
        run_metadata={"tcao_run": run_id},
        on_waiting=lambda reason, over, detail: None,
    )


async def carry_out(engine: EngineProcess, plan: Plan, run_dir: Path, **options: Any) -> RecordingContext:
    backend = await open_backend(engine)
    context = RecordingContext(plan, backend, run_dir=run_dir, **options)
    try:
        await METHODS.load("rl")(context)
    finally:
        await backend.close("success")
    return context


@pytest.fixture(scope="module")
def whole(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    """An uninterrupted run on policy."""
    directory = tmp_path_factory.mktemp("whole")
    return asyncio.run(carry_out(engine, make_plan(directory), directory))


def test_every_update_is_recorded_before_the_checkpoint_that_holds_it(whole: RecordingContext) -> None:
    assert [line for line in whole.log if line.split()[0] in {"step", "row", "save"}] == [
        "row 0",
        "step 1",
        "step 2",
        "row 2",
        "save 2 periodic",
        "step 3",
        "step 4",
        "save 4 final",
        "row 4",
    ]
    assert whole.trained == [(0, 0), (0, 1), (0, 2), (1, 0)]
    loaded = next(event for event in whole.events if isinstance(event, DataLoaded))
    assert (loaded.train_rows, loaded.val_rows, loaded.batches_per_epoch) == (7, 3, 3)
