"""Direct preference optimisation of one attempt. Only the worker imports this."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing

from tcao_tui.data.rows import ChatRow, PreferenceRow
from tcao_tui.domain.events import DataLoaded, PhaseChanged
from tcao_tui.domain.method_params import DpoParams
from tcao_tui.methods.dpo.batches import PairBatches
from tcao_tui.methods.dpo.reference import Reference, open_reference
from tcao_tui.methods.dpo.validation import PairValidation
from tcao_tui.methods.evaluation import Evaluator, read_score_rows
from tcao_tui.methods.known_batches import check_cursor, train
from tcao_tui.methods.loading import tell_about_renderer
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.pairs import PairFiles, PairRows, Side, check_pair_files, render_pairs
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer, quiet_renderers
from tcao_tui.methods.token_rows import TokenRows

_TRAINED = "last_assistant_message"
"""What carries loss in an answer, as in the cookbook; earlier turns are the same in both, so they would cancel out."""


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
    tokenizer = await asyncio.to_thread(trainer.tokenizer)
    renderer = ChatRenderer(config.model_copy(update={"train_on_what": _TRAINED}), tokenizer)
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    pairs, held_out = await _load(context, files, renderer)
    client = await open_reference(context, trainer)
    async with AsyncExitStack() as stack:

        async def reference(rows: TokenRows) -> Reference:
            return await stack.enter_async_context(aclosing(Reference(context.backend, client, rows)))

        beta = (context.plan.dpo or DpoParams()).beta
        validate = None
        if held_out is not None:
            known = await reference(held_out.rows)
            validate = PairValidation(context.backend, trainer, held_out, known, beta)
        evaluator = Evaluator(context, trainer, renderer, validate, score_rows)
        batches = PairBatches(trainer, pairs, files.order, await reference(pairs.rows), config, beta=beta)
        await train(context, trainer, batches, evaluator, batches_per_epoch=files.order.batches_per_epoch)


async def _load(context: RunContext, files: PairFiles, renderer: ChatRenderer) -> tuple[PairRows, PairRows | None]:
    def render(row: PreferenceRow) -> tuple[Side, Side]:
        chosen, rejected = (ChatRow([*row.prompt, *answer]) for answer in (row.chosen, row.rejected))
        return renderer.trained_tokens(chosen), renderer.trained_tokens(rejected)

    tell_about_renderer(context, renderer)
    used = files.order.rows_used(context.plan.training.num_steps)
    with quiet_renderers():
        pairs = await render_pairs(context, files.train, render, used)
        held_out = None if files.validation is None else await render_pairs(context, files.validation, render, None)
    context.emit(
        DataLoaded(
            train_rows=len(pairs),
            val_rows=0 if held_out is None else len(held_out),
            batches_per_epoch=files.order.batches_per_epoch,
            train_tokens=pairs.rows.tokens,
            loss_tokens=pairs.rows.loss_tokens,
            truncated_rows=pairs.truncated,
        )
    )
    return pairs, held_out
