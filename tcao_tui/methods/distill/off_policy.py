"""The teacher answers every prompt once, and the student imitates that by supervised training."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from tcao_tui.domain.events import DataLoaded, LogLine, PhaseChanged
from tcao_tui.domain.method_params import DistillParams
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.distill.answers import Answer, Part, Place, TeacherAnswers
from tcao_tui.methods.distill.prompts import PromptFiles, check_prompt_files, read_prompts
from tcao_tui.methods.distill.teachers import open_teachers
from tcao_tui.methods.evaluation import Evaluator, ValidationLoss, read_score_rows
from tcao_tui.methods.known_batches import check_cursor, train
from tcao_tui.methods.loading import tell_about_renderer
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer, quiet_renderers
from tcao_tui.methods.rl.problems import Problem
from tcao_tui.methods.sft.batches import RowBatches
from tcao_tui.methods.sft.loading import TrainingData
from tcao_tui.methods.token_rows import TokenRows


async def run_off_policy(context: RunContext, params: DistillParams) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP. Raises as `run.run`."""
    plan = context.plan
    if params.more_teachers:
        raise PlanInvalid(
            "several teachers score answers, but only one can give them",
            where="distill.more_teachers",
            next_step="set distill.mode to on_policy, or remove the further teachers",
        )
    context.emit(PhaseChanged(phase="loading", detail="reading the data"))
    files = await check_prompt_files(context, params)
    order = files.train[0].order
    check_cursor(context.resume_point, order.batches_per_epoch)
    score_rows = [] if plan.evals.score is None else await asyncio.to_thread(read_score_rows, context, plan.evals.score)
    context.emit(PhaseChanged(phase="loading", detail="opening the model and its teacher"))
    trainer = await open_trainer(context)
    tokenizer = await asyncio.to_thread(trainer.tokenizer)
    [teacher] = await open_teachers(context, params, tokenizer)
    renderer = ChatRenderer(plan.training, tokenizer)
    prompts = await _prompts(context, files, renderer)
    answers = await TeacherAnswers(context, teacher, renderer, params).get(prompts)
    if answers is None:
        return
    data = _load(context, files, prompts, answers)
    validate = None if data.validation is None else ValidationLoss(trainer, data.validation)
    evaluator = Evaluator(context, trainer, renderer, validate, score_rows)
    await train(context, trainer, RowBatches(trainer, data), evaluator, batches_per_epoch=order.batches_per_epoch)


async def _prompts(context: RunContext, files: PromptFiles, renderer: ChatRenderer) -> dict[Place, Problem]:
    """Prompts that will be trained on or validated with, in the order of their files."""
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    tell_about_renderer(context, renderer)
    [file] = files.train
    found: dict[Place, Problem] = {}
    with quiet_renderers():
        used = file.order.rows_used(context.plan.training.num_steps)
        found |= _placed("train", await read_prompts(context, file.report, renderer, used))
        if files.validation is not None:
            found |= _placed("validation", await read_prompts(context, files.validation, renderer, None))
    return found


def _placed(part: Part, prompts: Mapping[int, Problem]) -> dict[Place, Problem]:
    return {(part, row): prompt for row, prompt in prompts.items()}


def _load(
    context: RunContext, files: PromptFiles, prompts: Mapping[Place, Problem], answers: Mapping[Place, Answer]
) -> TrainingData:
    """Answers as rendered rows, and what a person should know about them."""
    limit = context.plan.training.max_seq_len
    [file] = files.train
    rows = _rows("train", range(file.report.rows), prompts, answers, limit)
    validation = None
    if files.validation is not None:
        validation = _rows("validation", range(files.validation.rows), prompts, answers, limit)
    if cut := sum(answer.is_cut_off for answer in answers.values()):
        told = (
            f"{cut:,} of {len(answers):,} answers of the teacher reached distill.max_tokens: they are learned cut off"
        )
        context.emit(LogLine(level="warning", message=told))
    context.emit(
        DataLoaded(
            train_rows=len(rows),
            val_rows=0 if validation is None else len(validation),
            batches_per_epoch=file.order.batches_per_epoch,
            train_tokens=rows.tokens,
            loss_tokens=rows.loss_tokens,
        )
    )
    return TrainingData(file.order, rows, validation)


def _rows(
    part: Part, numbers: Iterable[int], prompts: Mapping[Place, Problem], answers: Mapping[Place, Answer], limit: int
) -> TokenRows:
    rows = TokenRows(limit)
    for number in numbers:
        answer = answers.get((part, number))
        if answer is None:
            rows.skip()
            continue
        prompt = prompts[part, number].prompt.to_ints()
        rows.add([*prompt, *answer.tokens], [False] * len(prompt) + [True] * len(answer.tokens))
    return rows
