"""One attempt of any method: measure, train, save, measure again."""

from __future__ import annotations

from functools import partial

from tcao_tui.clients.tinker_port import Trainer
from tcao_tui.domain.checkpoints import CheckpointRecord, DataCursor
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.barriers import Advance, BarrierLoop
from tcao_tui.methods.evaluation import Evaluator
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.submitting import Stepper, Submitting


def check_cursor(resume: CheckpointRecord | None, batches_per_epoch: int) -> None:
    """Refuse to go on from a checkpoint of other data, before anything is asked of the server.

    Raises:
        PlanInvalid: The checkpoint stands elsewhere in these data than its step says.
    """
    if resume is not None and resume.cursor != DataCursor.after(resume.step, batches_per_epoch):
        raise PlanInvalid(
            f"checkpoint {resume.name} stands at epoch {resume.cursor.epoch}, batch {resume.cursor.batch}, "
            f"which is not step {resume.step} of this data",
            where="training.train_file",
            next_step="put the data back as they were at the launch, or launch the plan anew",
        )


async def train(
    context: RunContext, trainer: Trainer, stepper: Stepper, evaluator: Evaluator, *, batches_per_epoch: int
) -> None:
    """Carry out a method whose batches are known ahead, see `carry_out`."""
    advance = Submitting(context, stepper, batches_per_epoch=batches_per_epoch)
    await carry_out(context, trainer, advance, evaluator, batches_per_epoch=batches_per_epoch)


async def carry_out(
    context: RunContext, trainer: Trainer, advance: Advance, evaluator: Evaluator, *, batches_per_epoch: int
) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until FINISH or STOP.

    Raises:
        Transient: The server was lost; another attempt may go on from the last checkpoint.
        BackendError: The server refuses.
    """
    config, resume = context.plan.training, context.resume_point
    loop = BarrierLoop(
        context,
        trainer,
        advance,
        partial(evaluator.evaluate, with_score=False),
        batches_per_epoch=batches_per_epoch,
        step=0 if resume is None else resume.step,
    )
    if resume is None:
        # What a later stage starts from was scored when it was trained.
        await evaluator.evaluate(0, with_score=not context.stage_checkpoints)
    elif loop.step < config.num_steps and not context.is_measured(loop.step) and loop.eval_is_due:
        # A stop does not wait for an eval, so the one that was due is made up for.
        await evaluator.evaluate(loop.step, with_score=False)
    if not await loop.train():
        return
    if resume is None or resume.step < loop.step or resume.reason != "final":
        await loop.save("final")
    if loop.step == config.num_steps:
        await evaluator.evaluate(loop.step, with_score=True)
    else:
        # The eval that found it enough has measured all the rest.
        await evaluator.take_score(loop.step)
