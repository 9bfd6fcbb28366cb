"""Reinforcement learning of one attempt. Only the worker imports this."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinker_cookbook.rl.dataset_utils import EpochCycledRLDataset
from tinker_cookbook.rl.types import RLDataset
from tinker_cookbook.utils.cost_estimation import CostTracker

from tcao_tui.clients.tinker_port import Trainer
from tcao_tui.domain.events import DataLoaded, LogLine, PhaseChanged
from tcao_tui.domain.method_params import RlParams
from tcao_tui.methods.evaluation import Evaluator, Validate, read_score_rows
from tcao_tui.methods.known_batches import carry_out, check_cursor
from tcao_tui.methods.loops.client import LoopClient
from tcao_tui.methods.loops.groups import Groups
from tcao_tui.methods.loops.segments import Segments
from tcao_tui.methods.loops.tap import Tap
from tcao_tui.methods.opening import open_trainer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.reference import open_reference
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.datasets import ProblemBatches, WatchedBatches
from tcao_tui.methods.rl.environment import load_environment
from tcao_tui.methods.rl.loop import LeftOut, rl_loop
from tcao_tui.methods.rl.problems import ProblemFiles, check_files, load
from tcao_tui.methods.rl.rewards import open_reward, rows_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SAMPLES_AHEAD = (
    "sampling runs up to {0} steps ahead of training; a stop, pause, checkpoint or eval cadence that is asked for may "
    "leave up to {0} batches out or train them twice"
)


@dataclass(frozen=True, slots=True)
class _Source:
    """What is answered, by number of the update, and how held-out prompts are answered."""

    batches: RLDataset
    batches_per_epoch: int
    validate: Validate | None
    take_tokens: Callable[[], Mapping[str, int]]


async def run(context: RunContext) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP.

    Raises:
        PlanInvalid: The data, the reward or the renderer cannot be used; nothing was trained.
        Transient: The server was lost; another attempt may go on from the last checkpoint.
        BackendError: The server refuses, or weights that are referred to are gone.
    """
    plan, params, resume = context.plan, context.plan.rl or RlParams(), context.resume_point
    context.emit(PhaseChanged(phase="loading", detail="reading the data"))
    files = None if params.environment else await check_files(context, rows_of(params))
    if files is not None:
        check_cursor(resume, files.order.batches_per_epoch)
    score_rows = [] if plan.evals.score is None else await asyncio.to_thread(read_score_rows, context, plan.evals.score)
    context.emit(PhaseChanged(phase="loading", detail="opening the model"))
    trainer = await open_trainer(context)
    tokenizer = await asyncio.to_thread(trainer.tokenizer)
    renderer = ChatRenderer(plan.training, tokenizer)
    context.emit(PhaseChanged(phase="loading", detail="rows to tokens"))
    if files is None:
        source = _environments(context, tokenizer, renderer)
    else:
        source = await _problems(context, files, trainer, renderer)
    reference = await open_reference(context, trainer) if params.kl_penalty_coef else None
    if params.max_steps_off_policy:
        context.emit(LogLine(message=_SAMPLES_AHEAD.format(params.max_steps_off_policy)))
    groups, tracker = Groups(), CostTracker()
    left_out = LeftOut(tracker)
    client = LoopClient(context, trainer.client, 0 if resume is None else resume.step)
    tap = Tap(
        context,
        client,
        groups,
        lambda tokens: str(tokenizer.decode(list(tokens))),
        batches_per_epoch=source.batches_per_epoch,
        more_spends=lambda: Counter(source.take_tokens()) + Counter(left_out.take_tokens()),
    )
    batches = WatchedBatches(source.batches, groups)
    loop = rl_loop(context, client, tap, batches, reference=reference, tokenizer=tokenizer, tracker=tracker)
    await carry_out(
        context,
        trainer,
        Segments(context, loop, client, tap, ahead=params.max_steps_off_policy > 0),
        Evaluator(context, trainer, renderer, source.validate, score_rows),
        batches_per_epoch=source.batches_per_epoch,
    )


async def _problems(context: RunContext, files: ProblemFiles, trainer: Trainer, renderer: ChatRenderer) -> _Source:
    problems = await load(context, files, renderer)
    reward = await open_reward(context, renderer)
    batches = ProblemBatches(problems.train, files.order, reward.group_of)
    validate = reward.validation(trainer, problems.validation) if problems.validation else None
    return _Source(batches, len(batches), validate, reward.take_tokens)


def _environments(context: RunContext, tokenizer: PreTrainedTokenizerBase, renderer: ChatRenderer) -> _Source:
    plan, params = context.plan, context.plan.rl or RlParams()
    dataset = load_environment(params.environment or "", plan, tokenizer, renderer.cookbook)
    per_epoch = len(dataset)
    check_cursor(context.resume_point, per_epoch)
    if plan.training.val_file is not None:
        told = f"val_file is not looked at: {params.environment} has its own data; a score can be taken of it"
        context.emit(LogLine(level="warning", message=told))
    rows = per_epoch * len(dataset.get_batch(0))
    context.emit(DataLoaded(train_rows=rows, val_rows=0, batches_per_epoch=per_epoch, train_tokens=0, loss_tokens=0))
    epochs = plan.training.num_steps // per_epoch + 1
    return _Source(EpochCycledRLDataset(dataset, epochs), per_epoch, None, dict)
