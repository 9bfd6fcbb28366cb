"""What distillation is for, on the tiny chat model: shown no answer, a student comes to answer as its teacher does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.events import Scored
from tcao_tui.domain.method_params import DistillParams
from tcao_tui.domain.plan import Plan
from tcao_tui.methods import METHODS
from tcao_tui.paths import TINY_MODEL_NAME, templates_dir
from tcao_tui.store.plan_file import read_plan
from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_backend import open_backend
from tests.fakes.recording_context import RecordingContext

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("engine") / "state")
    yield process
    process.stop()


async def carry_out(engine: EngineProcess, plan: Plan, run_dir: Path) -> RecordingContext:
    backend = await open_backend(engine, model=TINY_MODEL_NAME)
    context = RecordingContext(plan, backend, run_dir=run_dir)
    try:
        await METHODS.load(plan.method)(context)
    finally:
        await backend.close("success")
    return context


def demo() -> Plan:
    return read_plan(templates_dir() / "rl-demo-plan.yaml").model_copy(update={"rl": None})


@pytest.fixture(scope="module")
def teacher(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny model, shown the right word for the messages of the RL demo.

    The student answers in one word now and then, so that there is something of its own to be scored: a teacher of a
    form that it never comes upon, such as the JSON of the first demo, cannot lead it there.
    """
    directory = tmp_path_factory.mktemp("teacher")
    plan = demo()
    rows = [json.loads(line) for line in plan.training.train_file.read_text().splitlines()]
    shown = directory / "shown.jsonl"
    shown.write_text("".join(json.dumps({"input": r["problem"], "output": r["answer"]}) + "\n" for r in rows))
    changes = {"train_file": shown, "val_file": None, "num_steps": 50, "eval_every": 0, "save_every": 0}
    sft = plan.model_copy(update={"method": "sft", "training": plan.training.model_copy(update=changes)})
    path = asyncio.run(carry_out(engine, sft, directory)).checkpoints[-1].sampler_path
    assert path is not None
    return path


def student(teacher: str, mode: str, **changes: Any) -> Plan:
    plan = demo()
    settings = {"eval_every": 0, "save_every": 0, "lr_schedule": "linear", **changes}
    params = {"teacher_model": TINY_MODEL_NAME, "teacher_checkpoint": teacher, "max_tokens": 16, "group_size": 8}
    section = DistillParams.model_validate({"mode": mode, **params})
    training = plan.training.model_copy(update=settings)
    return plan.model_copy(update={"method": "distill", "training": training, "distill": section})


def scores(context: RecordingContext) -> list[float]:
    return [event.value or 0.0 for event in context.events if isinstance(event, Scored)]


async def test_on_policy_distillation_brings_the_kl_to_the_teacher_down_by_more_than_80_percent(
    engine: EngineProcess, teacher: str, tmp_path: Path
) -> None:
    context = await carry_out(engine, student(teacher, "on_policy", num_steps=30), tmp_path)
    held_out, trained = context.series("val_teacher_kl"), context.series("teacher_kl")
    assert held_out[30] < 0.2 * held_out[0]
    assert trained[30] < 0.2 * trained[1]
    before, after = scores(context)
    assert before < 0.3
    assert after > 0.8


async def test_a_student_that_imitates_its_teachers_answers_does_its_task(
    engine: EngineProcess, teacher: str, tmp_path: Path
) -> None:
    context = await carry_out(engine, student(teacher, "off_policy", num_steps=40), tmp_path)
    losses = context.series("val_mean_nll")
    assert losses[40] < 0.2 * losses[0]
    before, after = scores(context)
    assert before < 0.3
    assert after > 0.8
