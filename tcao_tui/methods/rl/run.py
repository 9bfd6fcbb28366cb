"""Reinforcement learning of one attempt. Only the worker imports this."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tcao_tui.domain.events import LogLine, PhaseChanged
from tcao_tui.domain.method_params import RlParams
from tcao_tui.methods.dpo.reference import open_reference
from tcao_tui.methods.evaluation import Evaluator, read_score_rows
from tcao_tui.methods.grading import Judge
from tcao_tui.methods.known_batches import carry_out, check_cursor
from tcao_tui.methods.loops.client import LoopClient
from tcao_tui.methods.loops.groups import Groups
from tcao_tui.methods.loops.segments import Segments
from tcao_tui.methods.loops.tap import Tap
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.answers import GradedAnswers, GreedyReward
from tcao_tui.methods.rl.datasets import ProblemBatches, WatchedBatches
from tcao_tui.methods.rl.loop import rl_loop
from tcao_tui.methods.rl.problems import check_files, load

if TYPE_CHECKING:
    pass


async def run(context: RunContext) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP.

    Raises:
        PlanInvalid: The data, the reward or the renderer cannot be used; nothing was trained.
        Transient: The server was lost; another attempt may go on from the last checkpoint.
        BackendError: The server refuses, or the reference weights are gone.
    """
    plan, params = context.plan, context.plan.rl or RlParams()
    context.emit(PhaseChanged(phase="loading", detail="reading the data"))
    files = await check_files(context, "problem")
    check_cursor(context.resume_point, files.order.batches_per_epoch)
    score_rows = [] if plan.evals.score is None else await asyncio.to_thread(read_score_rows, context, plan.evals.score)
    context.emit(PhaseChanged(phase="loading", detail="opening the model"))
    trainer = await open_trainer(context)
    tokenizer = await asyncio.to_thread(trainer.tokenizer)
    renderer = ChatRenderer(plan.training, tokenizer)
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    problems = await load(context, files, renderer)
    judge = Judge(params.grader, lambda told: context.emit(LogLine(level="warning", message=told)))
    reference = await open_reference(context, trainer) if params.kl_penalty_coef else None
    validate = None
    if problems.validation:
        validate = GreedyReward(trainer, problems.validation, renderer, judge, params, plan.training.seed)
    dataset = ProblemBatches(
        problems.train, files.order, lambda problem: GradedAnswers(problem, renderer, judge, params.group_size)
    )
    groups = Groups()
    client = LoopClient(context, trainer.client, 0 if context.resume_point is None else context.resume_point.step)
    tap = Tap(
        context, client, groups, lambda tokens: str(tokenizer.decode(list(tokens))), batches_per_epoch=len(dataset)
    )
    loop = rl_loop(context, client, tap, WatchedBatches(dataset, groups), reference=reference, tokenizer=tokenizer)
    await carry_out(
        context,
        trainer,
        Segments(context, loop, client, tap, ahead=params.max_steps_off_policy > 0),
        Evaluator(context, trainer, renderer, validate, score_rows),
        batches_per_epoch=len(dataset),
    )
