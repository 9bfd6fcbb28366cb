"""Supervised fine-tuning of one attempt: load, measure, train, save, measure again. Only the worker imports this."""

from __future__ import annotations

import asyncio

from tcao_tui.domain.events import PhaseChanged
from tcao_tui.methods.evaluation import Evaluator, ValidationLoss, read_score_rows
from tcao_tui.methods.known_batches import check_cursor, train
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.sft.batches import RowBatches
from tcao_tui.methods.sft.loading import check_files, load


async def run(context: RunContext) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP.

    Raises:
        PlanInvalid: The data or the renderer cannot be used; nothing was trained.
        Transient: The server was lost; another attempt may go on from the last checkpoint.
        BackendError: The server refuses.
    """
    config, evals = context.plan.training, context.plan.evals
    context.emit(PhaseChanged(phase="loading", detail="reading the data"))
    files = await check_files(context)
    if config.batch_tokens is None:
        check_cursor(context.resume_point, files.order.batches_per_epoch)
    score_rows = [] if evals.score is None else await asyncio.to_thread(read_score_rows, context, evals.score)
    context.emit(PhaseChanged(phase="loading", detail="opening the model"))
    trainer = await open_trainer(context)
    renderer = ChatRenderer(config, await asyncio.to_thread(trainer.tokenizer))
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    data = await load(context, files, renderer)
    check_cursor(context.resume_point, data.order.batches_per_epoch)
    validate = None if data.validation is None else ValidationLoss(trainer, data.validation)
    evaluator = Evaluator(context, trainer, renderer, validate, score_rows)
    batches = RowBatches(trainer, data)
    await train(context, trainer, batches, evaluator, batches_per_epoch=data.order.batches_per_epoch)
