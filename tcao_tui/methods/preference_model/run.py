"""A preference model, trained as a classifier of comparisons. Only the worker imports this."""

from __future__ import annotations

import asyncio

from tcao_tui.domain.events import PhaseChanged
from tcao_tui.methods.evaluation import Evaluator, read_score_rows
from tcao_tui.methods.known_batches import check_cursor, train
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.pairs import check_pair_files, load_pairs, pair_renderer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.preference_model.batches import ComparisonBatches
from tcao_tui.methods.preference_model.comparisons import ComparisonWriter
from tcao_tui.methods.preference_model.validation import JudgementValidation


async def run(context: RunContext) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP.

    Raises:
        PlanInvalid: The data, the renderer or the tokenizer cannot be used; nothing was trained.
        Transient: The server was lost; another attempt may go on from the last checkpoint.
        BackendError: The server refuses.
    """
    config, evals = context.plan.training, context.plan.evals
    context.emit(PhaseChanged(phase="loading", detail="reading the data"))
    files = await check_pair_files(context)
    check_cursor(context.resume_point, files.order.batches_per_epoch)
    score_rows = [] if evals.score is None else await asyncio.to_thread(read_score_rows, context, evals.score)
    context.emit(PhaseChanged(phase="loading", detail="opening the model"))
    trainer = await open_trainer(context)
    renderer = pair_renderer(config, await asyncio.to_thread(trainer.tokenizer))
    writer = ComparisonWriter(renderer)
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    data = await load_pairs(context, files, renderer, writer.sides, sides=1)
    validate = None
    if data.validation is not None:
        validate = JudgementValidation(context.backend, trainer, data.validation, writer.letters)
    evaluator = Evaluator(context, trainer, renderer, validate, score_rows)
    batches = ComparisonBatches(trainer, data, config.seed)
    await train(context, trainer, batches, evaluator, batches_per_epoch=data.order.batches_per_epoch)
