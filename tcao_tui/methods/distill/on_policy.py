"""The student answers and its teachers score every token of that: the cookbook's loop under our order of things."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tcao_tui.domain.events import DataLoaded, PhaseChanged
from tcao_tui.domain.method_params import DistillParams
from tcao_tui.methods.distill.loop import PromptAnswers, distill_loop
from tcao_tui.methods.distill.prompts import PromptFiles, check_prompt_files, read_prompts
from tcao_tui.methods.distill.scoring import Scores
from tcao_tui.methods.distill.teachers import open_teachers
from tcao_tui.methods.distill.validation import HeldOutKl
from tcao_tui.methods.evaluation import Evaluator, read_score_rows
from tcao_tui.methods.known_batches import carry_out, check_cursor
from tcao_tui.methods.loading import tell_about_renderer
from tcao_tui.methods.loops.client import LoopClient
from tcao_tui.methods.loops.groups import Decode, Groups
from tcao_tui.methods.loops.segments import Segments
from tcao_tui.methods.loops.tap import Tap
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer, quiet_renderers
from tcao_tui.methods.rl.datasets import ProblemBatches, WatchedBatches
from tcao_tui.methods.rl.problems import Problem

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


async def run_on_policy(context: RunContext, params: DistillParams) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP. Raises as `run.run`."""
    plan, resume = context.plan, context.resume_point
    context.emit(PhaseChanged(phase="loading", detail="reading the data"))
    files = await check_prompt_files(context, params)
    per_epoch = files.train[0].order.batches_per_epoch
    check_cursor(resume, per_epoch)
    score_rows = [] if plan.evals.score is None else await asyncio.to_thread(read_score_rows, context, plan.evals.score)
    context.emit(PhaseChanged(phase="loading", detail="opening the model and its teachers"))
    trainer = await open_trainer(context)
    tokenizer = await asyncio.to_thread(trainer.tokenizer)
    teachers = await open_teachers(context, params, tokenizer)
    renderer = ChatRenderer(plan.training, tokenizer)
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    prompts, held_out = await _load(context, files, renderer)
    groups = Groups()
    client = LoopClient(context, trainer.client, 0 if resume is None else resume.step)
    tap = Tap(
        context,
        client,
        groups,
        _decoder(tokenizer),
        batches_per_epoch=per_epoch,
        settle=Scores(groups, teachers).settle,
    )
    batches = [
        WatchedBatches(
            ProblemBatches(rows, file.order, lambda prompt: PromptAnswers(prompt, renderer, params.group_size)), groups
        )
        for rows, file in zip(prompts, files.train, strict=True)
    ]
    validate = None
    if held_out:
        validate = HeldOutKl(context.backend, client, teachers[0], held_out, renderer, params, plan.training.seed)
    loop = distill_loop(context, client, tap, batches, teachers, tokenizer=tokenizer)
    await carry_out(
        context,
        trainer,
        Segments(context, loop, client, tap, ahead=False),
        Evaluator(context, trainer, renderer, validate, score_rows),
        batches_per_epoch=per_epoch,
    )


async def _load(
    context: RunContext, files: PromptFiles, renderer: ChatRenderer
) -> tuple[Sequence[dict[int, Problem]], list[Problem]]:
    tell_about_renderer(context, renderer)
    steps = context.plan.training.num_steps
    with quiet_renderers():
        prompts = [await read_prompts(context, f.report, renderer, f.order.rows_used(steps)) for f in files.train]
        held_out = {} if files.validation is None else await read_prompts(context, files.validation, renderer, None)
    context.emit(
        DataLoaded(
            train_rows=sum(file.report.rows for file in files.train),
            val_rows=len(held_out),
            batches_per_epoch=files.train[0].order.batches_per_epoch,
            train_tokens=sum(prompt.prompt.length for rows in prompts for prompt in rows.values()),
            loss_tokens=0,
        )
    )
    return prompts, list(held_out.values())


def _decoder(tokenizer: PreTrainedTokenizerBase) -> Decode:
    def decode(tokens: Sequence[int]) -> str:
        return str(tokenizer.decode(list(tokens)))

    return decode
