"""Supervised fine-tuning through the real SDK on a real engine with a random model."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pyarrow
import pytest
import tinker
from pyarrow import parquet
from tinker_cookbook.renderers import get_renderer
from tinker_cookbook.supervised.common import compute_mean_nll
from tinker_cookbook.supervised.data import conversation_to_datum
from transformers import AutoTokenizer

from tcao_tui.clients.prices import price_quote
from tcao_tui.clients.tinker_sdk import SdkBackend, connect
from tcao_tui.data.order import BatchOrder
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.events import DataLoaded, SamplesTaken, Scored
from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods import METHODS
from tcao_tui.methods.port import Directive
from tests.fakes.engine_process import EngineProcess
from tests.fakes.recording_context import RecordingContext

BATCH = 3
RENDERER = "qwen3_instruct"


def write_rows(path: Path, count: int, first: int = 0) -> Path:
    rows = [{"input": f"say {n}", "output": str(n) * (1 + n % 3)} for n in range(first, first + count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make_plan(directory: Path, *, evals: EvalPlan | None = None, **changes: Any) -> Plan:
    settings = {
        "base_model": "random",
        "run_name": "r",
        "train_file": write_rows(directory / "train.jsonl", 11),
        "val_file": write_rows(directory / "val.jsonl", 5, first=100),
        "lora_rank": 4,
        "max_seq_len": 64,
        "train_batch_size": BATCH,
        "num_steps": 5,
        "eval_every": 2,
        "save_every": 2,
        "learning_rate": 1e-2,
        "renderer_name": RENDERER,
        **changes,
    }
    return Plan(training=TrainingConfig(**settings), evals=evals or EvalPlan())


async def open_backend(engine: EngineProcess, run_id: str = "run") -> SdkBackend:
    return await connect(
        base_url=engine.url,
        api_key=engine.key,
        quote=price_quote("engine", engine.url, "random"),
        run_metadata={"tcao_run": run_id},
        on_waiting=lambda reason, over, detail: None,
    )


async def carry_out(engine: EngineProcess, plan: Plan, **options: Any) -> RecordingContext:
    backend = await open_backend(engine)
    context = RecordingContext(plan, backend, **options)
    try:
        await METHODS.load("sft")(context)
    finally:
        await backend.close("success")
    return context


async def cookbook_losses(engine: EngineProcess, model: Path, plan: Plan) -> list[float]:
    """The same batches in the cookbook's own words: its datums, its mean."""
    config = plan.training
    renderer = get_renderer(RENDERER, AutoTokenizer.from_pretrained(model))
    rows = [json.loads(line) for line in config.train_file.read_text().splitlines()]
    data = [
        conversation_to_datum(
            [{"role": "user", "content": row["input"]}, {"role": "assistant", "content": row["output"]}],
            renderer,
            config.max_seq_len,
        )
        for row in rows
    ]
    order = BatchOrder(len(rows), BATCH, config.seed)
    service = tinker.ServiceClient(base_url=engine.url, api_key=engine.key)
    client = await asyncio.to_thread(
        lambda: service.create_lora_training_client("random", rank=config.lora_rank, seed=config.seed).result()
    )
    losses: list[float] = []
    for step in range(config.num_steps):
        batch = [data[row] for row in order.batch(DataCursor.after(step, order.batches_per_epoch))]
        output = client.forward_backward(batch, "cross_entropy")
        adam = tinker.AdamParams(learning_rate=config.learning_rate, beta1=0.9, beta2=0.95, eps=1e-8)
        optimised = client.optim_step(adam)
        logprobs = [row["logprobs"] for row in (await output).loss_fn_outputs]
        await optimised
        losses.append(compute_mean_nll(logprobs, [datum.loss_fn_inputs["weights"] for datum in batch]))
    await service.close("success")
    return losses


@pytest.fixture(scope="module")
def whole(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    """An uninterrupted run."""
    return asyncio.run(carry_out(engine, make_plan(tmp_path_factory.mktemp("whole"))))


async def test_losses_are_those_of_the_cookbook(engine: EngineProcess, model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, eval_every=0, save_every=0, val_file=None)
    context = await carry_out(engine, plan)
    ours = context.series("train_mean_nll")
    assert list(ours) == [1, 2, 3, 4, 5]
    assert list(ours.values()) == pytest.approx(await cookbook_losses(engine, model_dir, plan), abs=1e-4)


def test_validation_is_taken_before_between_and_on_the_final_weights(whole: RecordingContext) -> None:
    context = whole
    nll, perplexity = context.series("val_mean_nll"), context.series("val_perplexity")
    assert list(nll) == [0, 2, 4, 5]
    assert all(perplexity[step] == pytest.approx(math.exp(nll[step])) for step in nll)
    assert [(c.step, c.reason) for c in context.checkpoints] == [(2, "periodic"), (4, "periodic"), (5, "final")]
    loaded = next(event for event in context.events if isinstance(event, DataLoaded))
    assert (loaded.train_rows, loaded.val_rows, loaded.batches_per_epoch, loaded.truncated_rows) == (11, 5, 3, 0)
    assert {spend.kind for spend in context.spends} == {"train", "prefill"}
    assert all(spend.usd == 0 for spend in context.spends)


async def test_a_resumed_run_repeats_the_losses_of_an_uninterrupted_one(
    engine: EngineProcess, whole: RecordingContext, tmp_path: Path
) -> None:
    first = await carry_out(engine, make_plan(tmp_path, submit_ahead=0), script={2: Directive.STOP})
    assert [(c.step, c.reason) for c in first.checkpoints] == [(2, "stop")]
    second = await carry_out(engine, make_plan(tmp_path), resume_point=first.checkpoints[0], attempt=2)
    assert first.trained + second.trained == whole.trained
    for key in ("train_mean_nll", "val_mean_nll"):
        both = {**first.series(key), **second.series(key)}
        assert both == pytest.approx(whole.series(key), abs=1e-5)


async def test_samples_and_score_are_taken_before_and_after(engine: EngineProcess, tmp_path: Path) -> None:
    score = ScoreSpec(file=write_rows(tmp_path / "test.jsonl", 4, first=50), max_rows=3, max_tokens=4)
    evals = EvalPlan(sample_prompts=("say 1", "say 2"), sample_max_tokens=4, score=score)
    context = await carry_out(engine, make_plan(tmp_path, evals=evals, num_steps=2, val_file=None, eval_every=1))
    samples = [event for event in context.events if isinstance(event, SamplesTaken)]
    assert [(event.step, [s.prompt for s in event.samples]) for event in samples] == [
        (step, ["say 1", "say 2"]) for step in (0, 1, 2)
    ]
    scores = [event for event in context.events if isinstance(event, Scored)]
    assert [(event.step, event.name, event.total, event.unscored) for event in scores] == [
        (0, "exact", 3, 0),
        (2, "exact", 3, 0),
    ]
    assert {"train", "prefill", "sample"} == {spend.kind for spend in context.spends}


async def test_a_changed_file_is_refused_before_anything_is_trained(engine: EngineProcess, tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    plan = plan.model_copy(update={"data": plan.data.model_copy(update={"train_file": "0" * 64})})
    with pytest.raises(PlanInvalid, match="changed since the plan was approved"):
        await carry_out(engine, plan)


async def test_rows_that_are_all_prompt_are_refused_with_the_first_row(engine: EngineProcess, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, max_seq_len=4)
    with pytest.raises(PlanInvalid) as caught:
        await carry_out(engine, plan)
    assert caught.value.where == f"{plan.training.train_file}:1"


async def test_a_model_without_known_renderer_asks_for_one(engine: EngineProcess, tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid) as caught:
        await carry_out(engine, make_plan(tmp_path, renderer_name=None))
    assert caught.value.where == "training.renderer_name"


async def test_conversations_with_tool_calls_are_trained_from_parquet(engine: EngineProcess, tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
    turns = [
        {"role": "user", "content": "rain?", "tool_calls": None, "tool_call_id": None},
        {"role": "assistant", "content": None, "tool_calls": [call], "tool_call_id": None},
        {"role": "tool", "content": "clouds", "tool_calls": None, "tool_call_id": "c1"},
        {"role": "assistant", "content": "soon", "tool_calls": None, "tool_call_id": None},
    ]
    path = tmp_path / "train.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([{"messages": turns}] * 3), path)
    plan = make_plan(tmp_path, train_file=path, val_file=None, num_steps=2, eval_every=0, max_seq_len=512)
    context = await carry_out(engine, plan)
    loaded = next(event for event in context.events if isinstance(event, DataLoaded))
    assert (loaded.train_rows, loaded.truncated_rows) == (3, 0)
    assert loaded.loss_tokens > 3 * len('<tool_call>{"name": "look", "arguments": {"at": "sky"}}</tool_call>soon')
    losses = context.series("train_mean_nll")
    assert losses[2] < losses[1]


async def test_pairs_are_not_trained_as_conversations(engine: EngineProcess, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"prompt": "q", "chosen": "good", "rejected": "bad"}) + "\n")
    with pytest.raises(PlanInvalid, match="holds preference pairs, not conversations to imitate") as caught:
        await carry_out(engine, make_plan(tmp_path, train_file=path))
    assert "data_format: input_output, input_field: prompt, output_field: chosen" in caught.value.what


async def test_a_score_is_taken_of_its_own_columns(engine: EngineProcess, tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("frage,antwort\n1+1,2\n2+2,4\n")
    score = ScoreSpec(file=path, max_tokens=4, input_field="frage", output_field="antwort")
    plan = make_plan(tmp_path, evals=EvalPlan(score=score), num_steps=1, val_file=None, eval_every=0)
    context = await carry_out(engine, plan)
    assert [event.total for event in context.events if isinstance(event, Scored)] == [2, 2]
