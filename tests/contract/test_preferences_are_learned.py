"""What the methods for pairs are for, on the tiny chat model and tasks made for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tinker_cookbook.preference.types import Comparison, PreferenceModelFromChatRenderer
from tinker_cookbook.renderers import Message, get_renderer
from transformers import AutoTokenizer

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.engine.tiny_model.preference_data import Worse, pair_rows
from tcao_tui.methods import METHODS
from tcao_tui.paths import TINY_MODEL, TINY_MODEL_NAME
from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_backend import open_backend
from tests.fakes.recording_context import RecordingContext

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("engine") / "state")
    yield process
    process.stop()


async def carry_out(
    engine: EngineProcess, directory: Path, method: str, worse: Worse, **changes: Any
) -> RecordingContext:
    for name, rows in pair_rows(worse).items():
        (directory / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    settings: dict[str, Any] = {
        "base_model": TINY_MODEL_NAME,
        "run_name": "r",
        "train_file": directory / "preferences.jsonl",
        "val_file": directory / "preferences-validation.jsonl",
        "train_batch_size": 16,
        "eval_every": 0,
        "save_every": 0,
        "learning_rate": 1e-3,
        **changes,
    }
    backend = await open_backend(engine, model=TINY_MODEL_NAME)
    context = RecordingContext(Plan(method=method, training=TrainingConfig(**settings)), backend)
    try:
        await METHODS.load(method)(context)
    finally:
        await backend.close("success")
    return context


async def test_dpo_raises_margin_and_held_out_accuracy_on_what_messages_mean(
    engine: EngineProcess, tmp_path: Path
) -> None:
    context = await carry_out(engine, tmp_path, "dpo", "misfiled", num_steps=50, max_seq_len=256)
    accuracy, margin = context.series("val_accuracy"), context.series("val_margin")
    assert accuracy[0] == 0.5
    assert accuracy[50] > 0.85
    assert margin[0] == pytest.approx(0, abs=1e-3)
    assert margin[50] > 0.5
    assert context.series("reward_margin")[50] > 0.5
    assert context.series("val_dpo_loss")[50] < context.series("val_dpo_loss")[0] - 0.2


async def test_a_preference_model_judges_held_out_pairs_as_the_cookbook_asks_it(
    engine: EngineProcess, tmp_path: Path
) -> None:
    context = await carry_out(engine, tmp_path, "preference_model", "in_words", num_steps=30, max_seq_len=512)
    assert context.series("val_accuracy")[0] == pytest.approx(0.5, abs=0.1)
    assert context.series("val_accuracy")[30] > 0.95
    backend = await open_backend(engine, model=TINY_MODEL_NAME)
    client = await backend.sampling_client(model_path=context.checkpoints[-1].sampler_path)
    judge = PreferenceModelFromChatRenderer(
        get_renderer("qwen3_instruct", AutoTokenizer.from_pretrained(TINY_MODEL)), client
    )
    held_out = pair_rows("in_words")["preferences-validation.jsonl"][:10]
    scores: list[float] = []
    for row in held_out:
        chosen, rejected = ([Message(role="assistant", content=row[name])] for name in ("chosen", "rejected"))
        comparison = Comparison([Message(role="user", content=row["prompt"])], chosen, rejected)
        scores += [-await judge(comparison), await judge(comparison.swap())]
    assert sum(score == 1 for score in scores) >= 18
    await backend.close("success")
