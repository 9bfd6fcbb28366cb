"""Direct preference optimisation of one attempt. Only the worker imports this."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from functools import partial

from tcao_tui.data.rows import ChatRow, PreferenceRow
from tcao_tui.domain.events import PhaseChanged
from tcao_tui.domain.method_params import DpoParams
from tcao_tui.methods.dpo.batches import PairBatches
from tcao_tui.methods.dpo.validation import PairValidation
from tcao_tui.methods.evaluation import Evaluator, read_score_rows
from tcao_tui.methods.known_batches import check_cursor, train
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.pairs import PairRows, Side, check_pair_files, load_pairs, pair_renderer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.reference import Reference, open_reference
from tcao_tui.methods.rendering import ChatRenderer


async def run(context: RunContext) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP.

    Raises:
        PlanInvalid: The data or the renderer cannot be used; nothing was trained.
        Transient: The server was lost; another attempt may go on from the last checkpoint.
        BackendError: The server refuses, or the reference weights are gone.
    """
    config, evals = context.plan.training, context.plan.evals
    context.emit(PhaseChanged(phase="loading", detail="reading the data"))
    files = await check_pair_files(context)
    check_cursor(context.resume_point, files.order.batches_per_epoch)
    score_rows = [] if evals.score is None else await asyncio.to_thread(read_score_rows, context, evals.score)
    context.emit(PhaseChanged(phase="loading", detail="opening the model"))
    trainer = await open_trainer(context)
    renderer = pair_renderer(config, await asyncio.to_thread(trainer.tokenizer))
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    data = await load_pairs(context, files, renderer, partial(_both_answers, renderer), sides=2)
    client = await open_reference(context, trainer)
    beta = (context.plan.dpo or DpoParams()).beta
    async with AsyncExitStack() as stack:

        async def reference(pairs: PairRows) -> Reference:
            return await stack.enter_async_context(aclosing(Reference(context.backend, client, pairs.rows)))

        validate = None
        if data.validation is not None:
            known = await reference(data.validation)
            validate = PairValidation(context.backend, trainer, data.validation, known, beta)
        evaluator = Evaluator(context, trainer, renderer, validate, score_rows)
        batches = PairBatches(trainer, data, await reference(data.train), config, beta=beta)
        await train(context, trainer, batches, evaluator, batches_per_epoch=data.order.batches_per_epoch)


def _both_answers(renderer: ChatRenderer, row: PreferenceRow) -> tuple[Side, Side]:
    chosen, rejected = (ChatRow([*row.prompt, *answer]) for answer in (row.chosen, row.rejected))
    return renderer.trained_tokens(chosen), renderer.trained_tokens(rejected)
