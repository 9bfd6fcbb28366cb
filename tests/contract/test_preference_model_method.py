"""A preference model through the real SDK on a real engine with a random model."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest
from tinker_cookbook.preference.types import (
    Comparison,
    ComparisonRendererFromChatRenderer,
    LabeledComparison,
    PreferenceModelFromChatRenderer,
)
from tinker_cookbook.renderers import Message, get_renderer
from transformers import AutoTokenizer

from tcao_tui.data.rows import PreferenceRow
from tcao_tui.domain.events import DataLoaded, LogLine
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods import METHODS
from tcao_tui.methods.port import Directive
from tcao_tui.methods.preference_model.comparisons import ComparisonWriter
from tcao_tui.methods.preference_model.spec import PreferenceModelSpec
from tcao_tui.methods.rendering import ChatRenderer
from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_backend import open_backend
from tests.fakes.recording_context import RecordingContext

BATCH = 4
RENDERER = "qwen3_instruct"


def write_pairs(path: Path, count: int, first: int = 0) -> Path:
    pairs = [{"prompt": str(n), "chosen": "yes", "rejected": "no"} for n in range(first, first + count)]
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    return path


def make_plan(directory: Path, **changes: Any) -> Plan:
    settings: dict[str, Any] = {
        "base_model": "random",
        "run_name": "r",
        "train_file": write_pairs(directory / "train.jsonl", 9),
        "val_file": write_pairs(directory / "val.jsonl", 3, first=20),
        "lora_rank": 8,
        "max_seq_len": 256,
        "train_batch_size": BATCH,
        "num_steps": 5,
        "eval_every": 2,
        "save_every": 2,
        "learning_rate": 1e-2,
        "renderer_name": RENDERER,
        **changes,
    }
    return Plan(method="preference_model", training=TrainingConfig(**settings))


async def carry_out(engine: EngineProcess, plan: Plan, **options: Any) -> RecordingContext:
    backend = await open_backend(engine)
    context = RecordingContext(plan, backend, **options)
    try:
        await METHODS.load("preference_model")(context)
    finally:
        await backend.close("success")
    return context


@pytest.fixture(scope="module")
def whole(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    """An uninterrupted run."""
    return asyncio.run(carry_out(engine, make_plan(tmp_path_factory.mktemp("whole"))))


def test_the_right_letter_becomes_likely_and_held_out_pairs_are_judged(whole: RecordingContext) -> None:
    losses, held_out = whole.series("train_mean_nll"), whole.series("val_mean_nll")
    assert losses[5] < losses[1] - 1
    assert list(held_out) == list(whole.series("val_accuracy")) == [0, 2, 4, 5]
    assert held_out[5] < held_out[0] - 1
    assert all(0 <= share <= 1 and math.isclose(share * 6 % 1, 0) for share in whole.series("val_accuracy").values())
    assert set(PreferenceModelSpec.metrics) <= {key for row in whole.rows for key in row.values}


def test_each_pair_is_one_comparison_of_a_pass(whole: RecordingContext) -> None:
    loaded = next(event for event in whole.events if isinstance(event, DataLoaded))
    assert (loaded.train_rows, loaded.val_rows, loaded.batches_per_epoch) == (9, 3, 2)
    assert loaded.loss_tokens == 9
    assert set(whole.series("num_pairs").values()) == {BATCH}


async def test_a_resumed_run_repeats_the_losses_of_an_uninterrupted_one(
    engine: EngineProcess, whole: RecordingContext, tmp_path: Path
) -> None:
    first = await carry_out(engine, make_plan(tmp_path, submit_ahead=0), script={2: Directive.STOP})
    second = await carry_out(engine, make_plan(tmp_path), resume_point=first.checkpoints[0], attempt=2)
    assert first.trained + second.trained == whole.trained
    for key in ("train_mean_nll", "val_mean_nll", "val_accuracy"):
        both = {**first.series(key), **second.series(key)}
        assert both == pytest.approx(whole.series(key), abs=1e-4)


@pytest.mark.parametrize("name", ["qwen3_instruct", "qwen3", "role_colon"])
def test_a_comparison_is_asked_as_the_cookbooks_preference_model_asks_it(
    model_dir: Path, tmp_path: Path, name: str
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    config = make_plan(tmp_path, renderer_name=name).training
    writer = ComparisonWriter(ChatRenderer(config, tokenizer))
    turns = [
        [{"role": role, "content": text}] for role, text in (("user", "1+1"), ("assistant", "2"), ("assistant", "3"))
    ]
    first, last = writer.sides(PreferenceRow(*turns))
    prompt, good, bad = ([Message(role=turn["role"], content=turn["content"])] for [turn] in turns)
    theirs = ComparisonRendererFromChatRenderer(get_renderer(name, tokenizer))
    labelled = LabeledComparison(Comparison(prompt, good, bad), "A")
    for (tokens, trained), comparison in ((first, labelled), (last, labelled.swap())):
        assert tokens[:-1] == theirs.build_generation_prompt(comparison.comparison).to_ints()
        assert trained == [False] * (len(tokens) - 1) + [True]
        assert tokenizer.decode(tokens[-1:]) == comparison.label
        if name == "qwen3_instruct":
            rendered, weights = theirs.to_model_input_weights(comparison)
            assert (tokens, trained) == (rendered.to_ints(), (weights > 0).tolist())


async def test_the_cookbooks_preference_model_gets_a_letter_from_the_trained_weights(
    engine: EngineProcess, model_dir: Path, tmp_path: Path
) -> None:
    context = await carry_out(engine, make_plan(tmp_path, num_steps=20, eval_every=0, save_every=0, val_file=None))
    backend = await open_backend(engine)
    client = await backend.sampling_client(model_path=context.checkpoints[-1].sampler_path)
    judge = PreferenceModelFromChatRenderer(get_renderer(RENDERER, AutoTokenizer.from_pretrained(model_dir)), client)
    yes, no = ([Message(role="assistant", content=text)] for text in ("yes", "no"))
    comparison = Comparison([Message(role="user", content="20")], yes, no)
    assert {abs(await judge(each)) for each in (comparison, comparison.swap())} == {1.0}
    await backend.close("success")


async def test_comparisons_that_do_not_fit_are_told_with_their_place(engine: EngineProcess, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, num_steps=1, train_batch_size=2, max_seq_len=200)
    for path in (plan.training.train_file, plan.training.val_file):
        assert path is not None
        long = {"prompt": "q", "chosen": "x" * 200, "rejected": "b"}
        path.write_text(
            "".join(json.dumps(row) + "\n" for row in [{"prompt": "q", "chosen": "a", "rejected": "b"}, long])
        )
    context = await carry_out(engine, plan)
    warnings = [event.message for event in context.events if isinstance(event, LogLine) and event.level == "warning"]
    assert any(f"{plan.training.train_file}:2" in message for message in warnings)
    assert context.series("val_accuracy")[0] in (0.0, 0.5, 1.0)
    with pytest.raises(PlanInvalid, match="no pair teaches anything"):
        await carry_out(engine, make_plan(tmp_path, max_seq_len=50))
