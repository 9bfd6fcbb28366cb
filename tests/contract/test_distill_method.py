"""Distillation through the real SDK on a real engine; model and teacher are random weights, one of them trained."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.events import DataLoaded, LogLine
from tcao_tui.domain.method_params import DistillParams
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.rollouts import Rollout
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.domain.training_events import ArtefactWritten, RolloutsTaken
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods import METHODS
from tcao_tui.methods.distill.answers import ANSWERS_NAME
from tcao_tui.methods.distill.prompts import shares_of
from tcao_tui.methods.distill.scoring import reverse_kl
from tcao_tui.methods.distill.teachers import check_vocabulary
from tcao_tui.methods.port import Directive
from tcao_tui.store.rollout_files import read_rollouts
from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_backend import open_backend
from tests.fakes.recording_context import RecordingContext

GROUP, TOKENS = 2, 6


def rows_file(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def prompts(path: Path, count: int, first: int = 0) -> Path:
    return rows_file(path, [{"prompt": f"say {n}"} for n in range(first, first + count)])


def training(directory: Path, **changes: Any) -> TrainingConfig:
    settings: dict[str, Any] = {
        "base_model": "random",
        "run_name": "r",
        "train_file": prompts(directory / "prompts.jsonl", 7),
        "val_file": prompts(directory / "held-out.jsonl", 3, first=100),
        "lora_rank": 4,
        "max_seq_len": 64,
        "train_batch_size": 2,
        "num_steps": 4,
        "eval_every": 2,
        "save_every": 2,
        "learning_rate": 1e-3,
        "renderer_name": "qwen3_instruct",
        **changes,
    }
    return TrainingConfig(**settings)


async def carry_out(engine: EngineProcess, plan: Plan, run_dir: Path, **options: Any) -> RecordingContext:
    backend = await open_backend(engine)
    context = RecordingContext(plan, backend, run_dir=run_dir, **options)
    try:
        await METHODS.load(plan.method)(context)
    finally:
        await backend.close("success")
    return context


@pytest.fixture(scope="module")
def teacher(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Sampler weights that were trained to say one word."""
    directory = tmp_path_factory.mktemp("teacher")
    rows = rows_file(directory / "rows.jsonl", [{"input": f"say {n}", "output": "yes"} for n in range(8)])
    config = training(directory, train_file=rows, val_file=None, learning_rate=1e-2, num_steps=8, save_every=0)
    context = asyncio.run(carry_out(engine, Plan(training=config), directory))
    assert context.checkpoints[-1].sampler_path is not None
    return context.checkpoints[-1].sampler_path


def make_plan(directory: Path, teacher: str, distill: dict[str, Any] | None = None, **changes: Any) -> Plan:
    params = {
        "teacher_model": "random",
        "teacher_checkpoint": teacher,
        "group_size": GROUP,
        "max_tokens": TOKENS,
        **(distill or {}),
    }
    section = DistillParams.model_validate(params)
    return Plan(method="distill", training=training(directory, **changes), distill=section)


@pytest.fixture(scope="module")
def whole(engine: EngineProcess, teacher: str, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    """An uninterrupted run on policy."""
    directory = tmp_path_factory.mktemp("whole")
    return asyncio.run(carry_out(engine, make_plan(directory, teacher), directory))


def answers_of(context: RecordingContext, step: int) -> list[Rollout]:
    """A random model may end an answer at any token, so what is expected is counted from the answers."""
    return [answer for group in read_rollouts(context.run_dir, step) for answer in group.answers]


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


def test_the_distance_to_the_teacher_is_measured_in_training_and_on_held_out_prompts(whole: RecordingContext) -> None:
    assert list(whole.series("teacher_kl")) == [1, 2, 3, 4]
    assert list(whole.series("val_teacher_kl")) == [0, 2, 4]
    assert whole.series("teacher_kl")[1] > 0.01
    values, answers = whole.rows[1].values, answers_of(whole, 1)
    assert values["truncated_share"] == sum(answer.stop == "length" for answer in answers) / len(answers)
    assert values["answer_tokens"] == sum(answer.tokens for answer in answers) / len(answers)
    assert "reward_mean" not in values, "an environment without rewards has no mean of them"


def test_what_student_and_teacher_read_and_write_is_in_the_ledger(whole: RecordingContext) -> None:
    spent = [(spend.kind, spend.tokens) for spend in whole.spends if spend.step == 1]
    answers = 2 * GROUP
    [trained] = [tokens for kind, tokens in spent if kind == "train"]
    [sampled] = [tokens for kind, tokens in spent if kind == "sample"]
    assert sampled == sum(answer.tokens for answer in answers_of(whole, 1))
    read = sorted(tokens for kind, tokens in spent if kind == "prefill")
    assert read == [trained + answers - sampled, trained + answers], "prompts by the student, all by the teacher"
    assert {spend.step for spend in whole.spends} == {0, 1, 2, 3, 4}


def test_each_answer_is_kept_with_its_own_distance_to_the_teacher(whole: RecordingContext) -> None:
    taken = [event for event in whole.events if isinstance(event, RolloutsTaken)]
    assert [(event.step, event.groups, event.answers) for event in taken] == [(n, 2, 4) for n in (1, 2, 3, 4)]
    answers = answers_of(whole, 1)
    assert all(0 < answer.tokens <= TOKENS for answer in answers)
    of_tokens = sum(answer.numbers["teacher_kl"] * answer.tokens for answer in answers)
    mean = of_tokens / sum(answer.tokens for answer in answers)
    assert mean == pytest.approx(whole.series("teacher_kl")[1], rel=1e-3)
    assert [answer.reward for answer in answers] == [-answer.numbers["teacher_kl"] for answer in answers]


async def test_a_resumed_run_goes_on_with_the_next_batch(
    engine: EngineProcess, teacher: str, tmp_path: Path, whole: RecordingContext
) -> None:
    plan = make_plan(tmp_path, teacher)
    resumed = await carry_out(engine, plan, tmp_path, resume_point=whole.checkpoints[0], attempt=2)
    assert resumed.trained == whole.trained[2:]
    assert [line for line in resumed.log if line.startswith("save")] == ["save 4 final"]
    stopped = await carry_out(engine, plan, tmp_path, script={1: Directive.STOP})
    assert [line for line in stopped.log if line.startswith(("step", "save"))] == ["step 1", "save 1 stop"]


async def test_each_teacher_scores_prompts_of_its_own_file(engine: EngineProcess, teacher: str, tmp_path: Path) -> None:
    more = [{"model": "random", "checkpoint": None, "prompts_file": prompts(tmp_path / "more.jsonl", 2, first=50)}]
    plan = make_plan(
        tmp_path, teacher, {"more_teachers": more}, train_batch_size=3, num_steps=2, save_every=0, eval_every=0
    )
    context = await carry_out(engine, plan, tmp_path)
    first, second = (context.series(f"teacher_kl/dataset_{n}")[1] for n in (0, 1))
    assert first > 0.01
    assert second == pytest.approx(0, abs=1e-4), "the base model is the student's start"
    texts = [group.prompt for group in read_rollouts(tmp_path, 1)]
    assert [any(f"say {n}" in text for n in (50, 51)) for text in texts] == [False, False, True]
    loaded = next(event for event in context.events if isinstance(event, DataLoaded))
    assert loaded.train_rows == 9


def test_a_batch_is_shared_by_the_teachers() -> None:
    assert shares_of(7, 3) == [3, 2, 2]
    with pytest.raises(PlanInvalid, match="cannot be shared by 3 teachers"):
        shares_of(2, 3)


def test_reverse_kl_counts_only_the_answer() -> None:
    assert reverse_kl([-1.0, -2.0], [None, -9.0, -1.5, -4.0]) == pytest.approx(2.5)


async def test_a_prompt_that_leaves_no_room_for_an_answer_is_named(
    engine: EngineProcess, teacher: str, tmp_path: Path
) -> None:
    with pytest.raises(PlanInvalid, match=r"lower distill\.max_tokens"):
        await carry_out(engine, make_plan(tmp_path, teacher, max_seq_len=20), tmp_path)


@pytest.fixture(scope="module")
def imitated(engine: EngineProcess, teacher: str, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    """An uninterrupted run off policy."""
    directory = tmp_path_factory.mktemp("imitated")
    return asyncio.run(carry_out(engine, make_plan(directory, teacher, {"mode": "off_policy"}), directory))


def test_the_teacher_answers_once_and_before_anything_is_trained(imitated: RecordingContext) -> None:
    [written] = [event for event in imitated.events if isinstance(event, ArtefactWritten)]
    body = (imitated.run_dir / ANSWERS_NAME).read_bytes()
    assert written == ArtefactWritten(file=ANSWERS_NAME, sha256=hashlib.sha256(body).hexdigest(), rows=7 + 3)
    assert imitated.log.index("artefact_written") < imitated.log.index("step 1")
    sampled = [spend for spend in imitated.spends if spend.kind == "sample"]
    rows = [json.loads(line) for line in body.splitlines()]
    assert sum(spend.tokens for spend in sampled) == sum(len(row["tokens"]) for row in rows)
    assert list(imitated.series("val_mean_nll")) == [0, 2, 4]


def test_the_student_learns_what_the_teacher_says(imitated: RecordingContext) -> None:
    losses = imitated.series("val_mean_nll")
    assert losses[4] < losses[0]


async def resumed_off_policy(
    engine: EngineProcess, imitated: RecordingContext, answers: Path, point: CheckpointRecord
) -> RecordingContext:
    [written] = [event for event in imitated.events if isinstance(event, ArtefactWritten)]
    recorded = {ANSWERS_NAME: written.sha256}
    return await carry_out(engine, imitated.plan, answers, resume_point=point, attempt=2, artefacts=recorded)


async def test_a_resume_reads_the_answers_again_and_is_exact(engine: EngineProcess, imitated: RecordingContext) -> None:
    resumed = await resumed_off_policy(engine, imitated, imitated.run_dir, imitated.checkpoints[0])
    assert not [spend for spend in resumed.spends if spend.kind == "sample"]
    before, after = imitated.series("train_mean_nll"), resumed.series("train_mean_nll")
    assert [after[3], after[4]] == pytest.approx([before[3], before[4]], abs=1e-5)


@pytest.mark.parametrize("damage", ["gone", "changed"])
async def test_answers_that_are_lost_are_drawn_anew_and_that_is_said(
    engine: EngineProcess, imitated: RecordingContext, tmp_path: Path, damage: str
) -> None:
    if damage == "changed":
        (tmp_path / ANSWERS_NAME).write_bytes((imitated.run_dir / ANSWERS_NAME).read_bytes()[:-20])
    resumed = await resumed_off_policy(engine, imitated, tmp_path, imitated.checkpoints[0])
    told = [event.message for event in resumed.events if isinstance(event, LogLine) and event.level == "warning"]
    assert any("updates 1 to 2 were trained on the earlier answers" in message for message in told)
    assert [event for event in resumed.events if isinstance(event, ArtefactWritten)]
    assert resumed.trained == imitated.trained[2:]


async def test_a_stop_while_the_teacher_answers_is_obeyed(engine: EngineProcess, teacher: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, teacher, {"mode": "off_policy"})
    stopped = await carry_out(engine, plan, tmp_path, script={0: Directive.STOP})
    assert stopped.trained == []
    assert not (tmp_path / ANSWERS_NAME).exists()


async def test_only_one_teacher_can_give_the_answers(engine: EngineProcess, teacher: str, tmp_path: Path) -> None:
    more = [{"model": "random", "prompts_file": prompts(tmp_path / "more.jsonl", 2)}]
    plan = make_plan(tmp_path, teacher, {"mode": "off_policy", "more_teachers": more})
    with pytest.raises(PlanInvalid, match="only one can give them"):
        await carry_out(engine, plan, tmp_path)


def test_a_teacher_that_counts_in_other_tokens_is_refused() -> None:
    student = {f"t{number}": number for number in range(1000)}
    check_vocabulary(student, {**student, "<extra>": 1000, "t7": 1001}, "big", "distill.teacher_model")
    shifted = {token: number + 1 for token, number in student.items()}
    with pytest.raises(PlanInvalid, match="counts in other tokens than the student: 0 of 1,000"):
        check_vocabulary(student, shifted, "big", "distill.teacher_model")
