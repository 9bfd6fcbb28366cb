"""Direct preference optimisation through the real SDK on a real engine with a random model."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tinker
import torch
from tinker_cookbook.preference.train_dpo import compute_dpo_loss
from tinker_cookbook.renderers import Message, get_renderer
from tinker_cookbook.supervised.common import datum_from_model_input_weights
from transformers import AutoTokenizer

from tcao_tui.data.order import BatchOrder
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.events import DataLoaded, LogLine, Scored
from tcao_tui.domain.method_params import DpoParams
from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BackendError, PlanInvalid
from tcao_tui.methods import METHODS
from tcao_tui.methods.dpo.spec import DpoSpec
from tcao_tui.methods.port import Directive
from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_backend import open_backend
from tests.fakes.recording_context import RecordingContext

BATCH = 3
RENDERER = "qwen3_instruct"
BETA = 0.2


def write_pairs(path: Path, count: int, first: int = 0) -> Path:
    pairs = [
        {"prompt": f"say {n}", "chosen": f"{n}!" * (1 + n % 3), "rejected": f"no {n}"} for n in range(first, count)
    ]
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    return path


def make_plan(
    directory: Path,
    *,
    reference: Any = "start",
    start_from: str | None = None,
    evals: EvalPlan | None = None,
    **changes: Any,
) -> Plan:
    settings: dict[str, Any] = {
        "base_model": "random",
        "run_name": "r",
        "train_file": write_pairs(directory / "train.jsonl", 11),
        "val_file": write_pairs(directory / "val.jsonl", 15, first=11),
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
    return Plan(
        method="dpo",
        dpo=DpoParams(beta=BETA, reference=reference),
        start_from=start_from,
        training=TrainingConfig(**settings),
        evals=evals or EvalPlan(),
    )


async def carry_out(engine: EngineProcess, plan: Plan, **options: Any) -> RecordingContext:
    backend = await open_backend(engine)
    context = RecordingContext(plan, backend, **options)
    try:
        await METHODS.load("dpo")(context)
    finally:
        await backend.close("success")
    return context


def cookbook_pairs(model: Path, plan: Plan) -> list[list[tinker.Datum]]:
    """Both answers of each row as the cookbook's DPO dataset renders them."""
    renderer = get_renderer(RENDERER, AutoTokenizer.from_pretrained(model))
    rows = [json.loads(line) for line in plan.training.train_file.read_text().splitlines()]

    def datum(prompt: str, answer: str) -> tinker.Datum:
        turns = [Message(role="user", content=prompt), Message(role="assistant", content=answer)]
        rendered, weights = renderer.build_supervised_example(turns)
        return datum_from_model_input_weights(rendered, weights, plan.training.max_seq_len, reduction="none")

    return [[datum(row["prompt"], row["chosen"]), datum(row["prompt"], row["rejected"])] for row in rows]


def summed(data: Sequence[tinker.Datum], logprobs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    weights = [torch.tensor(each.loss_fn_inputs["weights"].data) for each in data]
    return [torch.dot(each, weight) for each, weight in zip(logprobs, weights, strict=True)]


async def cookbook_losses(engine: EngineProcess, model: Path, plan: Plan) -> list[float]:
    """The same batches in the cookbook's own words: a snapshot as the reference, asked for whole sequences."""
    config, pairs = plan.training, cookbook_pairs(model, plan)
    order = BatchOrder(len(pairs), BATCH, config.seed)
    service = tinker.ServiceClient(base_url=engine.url, api_key=engine.key)
    client = await asyncio.to_thread(
        lambda: service.create_lora_training_client("random", rank=config.lora_rank, seed=config.seed).result()
    )
    reference = await client.save_weights_and_get_sampling_client()
    losses: list[float] = []
    for step in range(config.num_steps):
        rows = order.batch(DataCursor.after(step, order.batches_per_epoch))
        batch = [datum for row in rows for datum in pairs[row]]
        whole = [each.model_input.append_int(int(each.loss_fn_inputs["target_tokens"].data[-1])) for each in batch]
        known = [torch.tensor((await reference.compute_logprobs(sequence))[1:]) for sequence in whole]
        fixed = summed(batch, known)

        def loss(
            data: list[tinker.Datum], logprobs: list[torch.Tensor], fixed: list[torch.Tensor] = fixed
        ) -> tuple[torch.Tensor, dict[str, float]]:
            sums = summed(data, logprobs)
            return compute_dpo_loss(sums[::2], sums[1::2], fixed[::2], fixed[1::2], BETA)

        output = client.forward_backward_custom(batch, loss)
        adam = tinker.AdamParams(learning_rate=config.learning_rate, beta1=0.9, beta2=0.95, eps=1e-8)
        optimised = client.optim_step(adam)
        losses.append((await output).metrics["dpo_loss"])
        await optimised
    await service.close("success")
    return losses


@pytest.fixture(scope="module")
def whole(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    """An uninterrupted run."""
    return asyncio.run(carry_out(engine, make_plan(tmp_path_factory.mktemp("whole"))))


async def test_losses_are_those_of_the_cookbook(engine: EngineProcess, model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, eval_every=0, save_every=0, val_file=None)
    context = await carry_out(engine, plan)
    ours = context.series("dpo_loss")
    assert list(ours) == [1, 2, 3, 4, 5]
    assert list(ours.values()) == pytest.approx(await cookbook_losses(engine, model_dir, plan), abs=1e-4)


def test_training_raises_the_margin_from_nothing(whole: RecordingContext) -> None:
    assert whole.series("dpo_loss")[1] == pytest.approx(math.log(2), abs=1e-5)
    assert whole.series("reward_margin")[1] == pytest.approx(0, abs=1e-4)
    assert whole.series("reward_margin")[5] > 0.1
    margin, chosen, rejected = (whole.series(key) for key in ("reward_margin", "chosen_reward", "rejected_reward"))
    assert {step: chosen[step] - rejected[step] for step in margin} == pytest.approx(margin, abs=1e-5)
    assert set(whole.series("num_pairs").values()) == {BATCH}


def test_every_metric_of_the_method_is_recorded(whole: RecordingContext) -> None:
    assert set(DpoSpec.metrics) <= {key for row in whole.rows for key in row.values}


def test_held_out_pairs_are_judged_before_between_and_on_the_final_weights(whole: RecordingContext) -> None:
    losses = whole.series("val_dpo_loss")
    assert list(losses) == list(whole.series("val_accuracy")) == [0, 2, 4, 5]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-5)
    assert losses[5] < losses[0]
    assert whole.series("val_margin")[5] > 0
    assert [(c.step, c.reason) for c in whole.checkpoints] == [(2, "periodic"), (4, "periodic"), (5, "final")]
    loaded = next(event for event in whole.events if isinstance(event, DataLoaded))
    assert (loaded.train_rows, loaded.val_rows, loaded.batches_per_epoch, loaded.truncated_rows) == (11, 4, 3, 0)


def test_the_reference_reads_each_pair_once_and_is_paid_for(whole: RecordingContext, model_dir: Path) -> None:
    config, pairs = whole.plan.training, cookbook_pairs(model_dir, whole.plan)
    order = BatchOrder(len(pairs), BATCH, config.seed)
    used = {row for step in range(config.num_steps) for row in order.batch(DataCursor.after(step, 3))}
    read = sum(each.model_input.length + 1 for row in used for each in pairs[row])
    trained = sum(spend.tokens for spend in whole.spends if spend.kind == "train")
    prefill = [spend for spend in whole.spends if spend.kind == "prefill"]
    validation = prefill[0].tokens
    # A custom loss passes each batch forward once more.
    assert sum(spend.tokens for spend in prefill if spend.step) - validation * len([2, 4, 5]) - trained == read


async def test_a_resumed_run_repeats_the_losses_of_an_uninterrupted_one(
    engine: EngineProcess, whole: RecordingContext, tmp_path: Path
) -> None:
    first = await carry_out(engine, make_plan(tmp_path, submit_ahead=0), script={2: Directive.STOP})
    assert [(c.step, c.reason) for c in first.checkpoints] == [(2, "stop")]
    second = await carry_out(engine, make_plan(tmp_path), resume_point=first.checkpoints[0], attempt=2)
    assert first.trained + second.trained == whole.trained
    for key in ("dpo_loss", "reward_margin", "val_dpo_loss", "val_margin"):
        both = {**first.series(key), **second.series(key)}
        assert both == pytest.approx(whole.series(key), abs=1e-4)


async def test_a_resumed_run_compares_with_the_weights_that_it_started_from(
    engine: EngineProcess, whole: RecordingContext, tmp_path: Path
) -> None:
    start = whole.checkpoints[-1].state_path
    plan = make_plan(tmp_path, start_from=start, num_steps=3, eval_every=0, save_every=0)
    uninterrupted = await carry_out(engine, plan)
    assert uninterrupted.series("val_margin")[0] == pytest.approx(0, abs=1e-4)
    first = await carry_out(engine, plan, script={1: Directive.STOP})
    second = await carry_out(engine, plan, resume_point=first.checkpoints[0], attempt=2)
    both = {**first.series("dpo_loss"), **second.series("dpo_loss")}
    assert both == pytest.approx(uninterrupted.series("dpo_loss"), abs=1e-4)
    assert second.series("val_margin")[3] == pytest.approx(uninterrupted.series("val_margin")[3], abs=1e-4)


async def test_a_resume_without_the_weights_that_the_run_started_from_says_so(
    engine: EngineProcess, whole: RecordingContext, tmp_path: Path
) -> None:
    gone = whole.checkpoints[0].state_path.replace("000002", "000099")
    plan = make_plan(tmp_path, start_from=gone)
    with pytest.raises(BackendError, match="started from are its reference") as caught:
        await carry_out(engine, plan, resume_point=whole.checkpoints[0], attempt=2)
    assert caught.value.where == gone


async def test_the_base_model_may_be_the_reference_of_weights_that_were_trained_before(
    engine: EngineProcess, whole: RecordingContext, tmp_path: Path
) -> None:
    start = whole.checkpoints[-1].state_path
    plan = make_plan(tmp_path, start_from=start, reference="base", num_steps=1, eval_every=0, save_every=0)
    context = await carry_out(engine, plan)
    assert context.series("val_margin")[0] == pytest.approx(whole.series("val_margin")[5], abs=1e-4)


async def test_pairs_that_are_the_same_once_cut_are_told_with_their_place(
    engine: EngineProcess, tmp_path: Path
) -> None:
    plan = make_plan(tmp_path, num_steps=1, val_file=None, max_seq_len=40)
    path = plan.training.train_file
    alike = {"prompt": "q", "chosen": "x" * 50 + "1", "rejected": "x" * 50 + "2"}
    path.write_text(
        "".join(json.dumps(row) + "\n" for row in [{"prompt": "q", "chosen": "a", "rejected": "b"}, alike, alike])
    )
    context = await carry_out(engine, plan)
    warnings = [event.message for event in context.events if isinstance(event, LogLine) and event.level == "warning"]
    assert [message for message in warnings if message.startswith("2 pairs teach nothing") and f"{path}:2" in message]
    assert next(event for event in context.events if isinstance(event, DataLoaded)).truncated_rows == 2


async def test_pairs_that_are_all_prompt_are_refused_with_the_first_one(engine: EngineProcess, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, max_seq_len=4)
    with pytest.raises(PlanInvalid, match="no pair teaches anything") as caught:
        await carry_out(engine, plan)
    assert caught.value.where == f"{plan.training.train_file}:1"


async def test_conversations_are_not_trained_as_pairs(engine: EngineProcess, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"input": "q", "output": "a"}) + "\n")
    with pytest.raises(PlanInvalid, match="not preference pairs"):
        await carry_out(engine, make_plan(tmp_path, train_file=path))


async def test_the_chosen_answers_of_held_out_pairs_can_be_the_wanted_ones_of_a_score(
    engine: EngineProcess, tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "test.jsonl", 4)
    score = ScoreSpec(file=file, max_tokens=4, input_field="prompt", output_field="chosen")
    plan = make_plan(tmp_path, evals=EvalPlan(score=score), num_steps=1, val_file=None, eval_every=0)
    context = await carry_out(engine, plan)
    assert [event.total for event in context.events if isinstance(event, Scored)] == [4, 4]
