"""Supervised fine-tuning of one attempt: load, measure, train, save, measure again. Only the worker imports this."""

from __future__ import annotations

import asyncio
from functools import partial

from tcao_tui.domain.checkpoints import CheckpointRecord, DataCursor
from tcao_tui.domain.events import PhaseChanged
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.barriers import BarrierLoop, is_due
from tcao_tui.methods.evaluation import Evaluator, read_score_rows
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.sft.batches import RowBatches
from tcao_tui.methods.sft.loading import check_files, load
from tcao_tui.methods.submitting import Submitting


async def run(context: RunContext) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP.

    Raises:
        PlanInvalid: The data or the renderer cannot be used; nothing was trained.
        Transient: The server was lost; another attempt may go on from the last checkpoint.
        BackendError: The server refuses.
    """
    config, evals = context.plan.training, context.plan.evals
    resume = context.resume_point
    context.emit(PhaseChanged(phase="loading", detail="reading the data"))
    files = await check_files(context)
    _check_cursor(resume, files.order.batches_per_epoch)
    score_rows = [] if evals.score is None else await asyncio.to_thread(read_score_rows, context, evals.score)
    context.emit(PhaseChanged(phase="loading", detail="opening the model"))
    trainer = await open_trainer(context)
    renderer = ChatRenderer(config, await asyncio.to_thread(trainer.tokenizer))
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    data = await load(context, files, renderer)
    evaluator = Evaluator(context, trainer, renderer, data.validation, score_rows)
    if resume is None:
        await evaluator.evaluate(0, with_score=True)
    elif resume.reason == "stop" and 0 < resume.step < config.num_steps and _is_eval_step(context, resume.step):
        # A stop does not wait for an eval, so the one that was due is made up for.
        await evaluator.evaluate(resume.step, with_score=False)
    per_epoch = data.order.batches_per_epoch
    loop = BarrierLoop(
        context,
        trainer,
        Submitting(context, RowBatches(trainer, data), batches_per_epoch=per_epoch),
        partial(evaluator.evaluate, with_score=False),
        batches_per_epoch=per_epoch,
        step=0 if resume is None else resume.step,
    )
    if not await loop.train():
        return
    if resume is None or resume.step < config.num_steps or resume.reason != "final":
        await loop.save("final")
    await evaluator.evaluate(config.num_steps, with_score=True)


def _is_eval_step(context: RunContext, step: int) -> bool:
    return is_due(step, context.plan.training.eval_every)


def _check_cursor(resume: CheckpointRecord | None, batches_per_epoch: int) -> None:
    if resume is not None and resume.cursor != DataCursor.after(resume.step, batches_per_epoch):
        raise PlanInvalid(
            f"checkpoint {resume.name} stands at epoch {resume.cursor.epoch}, batch {resume.cursor.batch}, "
            f"which is not step {resume.step} of this data",
            where="training.train_file",
            next_step="put the data back as they were at the launch, or launch the plan anew",
        )
