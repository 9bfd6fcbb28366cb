"""The stages of a plan, one after the other, in one run. Only the worker imports this.

A resume enters the stage that holds the resume point, also at its very end unless the next one had begun: what its
method still had to measure there is then made up for. A stage that early stopping ends leaves its last steps out, so
that the next one is counted as planned.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.pipeline import StagePlan, stage_plans
from tcao_tui.domain.training_events import StageEnded, StageStarted
from tcao_tui.errors import BackendError
from tcao_tui.methods import METHODS
from tcao_tui.methods.pipeline.context import StageContext
from tcao_tui.methods.port import Directive, RunContext


async def run(context: RunContext) -> None:
    """Carry all stages out, from the one that holds the resume point, or until STOP.

    Raises:
        BackendError: The checkpoint that a stage starts from is gone.
        TcaoError: Whatever a stage's method raises.
    """
    stages = stage_plans(context.plan)
    done = 0 if context.resume_point is None else context.resume_point.step
    chosen: dict[str, CheckpointRecord] = {}
    for stage in stages:
        if not _is_over(context, stage, stages, done):
            if not await _carry_out(context, stage, stages, dict(chosen)):
                return
            if stage is not stages[-1] and await _is_stopped(context):
                return
        record = context.chosen(stage.first_step, stage.last_step, best=stage.choose == "best")
        if record is None:
            raise BackendError(
                f"no checkpoint of stage {stage.name} is left to go on from",
                next_step="start the plan anew with `tcao run`",
            )
        chosen[stage.name] = record


def _is_over(context: RunContext, stage: StagePlan, stages: Sequence[StagePlan], done: int) -> bool:
    is_past_its_end = stage is not stages[-1] and context.has_begun(stage.last_step)
    is_over = stage.last_step < done or (stage.last_step == done and is_past_its_end)
    return is_over or context.has_ended(stage.first_step)


async def _is_stopped(context: RunContext) -> bool:
    """Obey between two stages, where the weights are saved already."""
    directive = await context.directive()
    if directive is Directive.PAUSE:
        directive = await context.paused()
    return directive is Directive.STOP


async def _carry_out(
    context: RunContext, stage: StagePlan, stages: Sequence[StagePlan], chosen: dict[str, CheckpointRecord]
) -> bool:
    """One stage; False when it was stopped, and neither was its last step trained nor did it end early."""
    start_path = _start_path(context, stage, stages, chosen)
    context.emit(
        StageStarted(
            index=stage.index,
            name=stage.name,
            method=stage.plan.method,
            first_step=stage.first_step,
            num_steps=stage.plan.training.num_steps,
            stages=len(stages),
            started_from=start_path or "",
        )
    )
    staged = StageContext(context, stage, is_last=stage is stages[-1], start_path=start_path, stage_checkpoints=chosen)
    await METHODS.load(stage.plan.method)(staged)
    end = context.chosen(stage.first_step, stage.last_step, best=False)
    if end is None or end.step == stage.last_step:
        return end is not None
    if await context.directive() is not Directive.FINISH:
        return False
    context.emit(
        StageEnded(
            index=stage.index, name=stage.name, first_step=stage.first_step, step=end.step, last_step=stage.last_step
        )
    )
    return True


def _start_path(
    context: RunContext, stage: StagePlan, stages: Sequence[StagePlan], chosen: dict[str, CheckpointRecord]
) -> str | None:
    if stage.start == "base":
        return None
    if stage.start == "previous":
        return chosen[stages[stage.index - 1].name].state_path if stage.index else context.start_path
    return chosen[stage.start].state_path
