"""Distillation of one attempt. Only the worker imports this."""

from __future__ import annotations

from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.distill.off_policy import run_off_policy
from tcao_tui.methods.distill.on_policy import run_on_policy
from tcao_tui.methods.port import RunContext


async def run(context: RunContext) -> None:
    """Carry the plan out from `context.resume_point` to its last step, or until STOP.

    Raises:
        PlanInvalid: The data, the renderer or a teacher cannot be used; nothing was trained.
        Transient: The server was lost; another attempt may go on from the last checkpoint.
        BackendError: The server refuses, or a teacher is gone.
    """
    params = context.plan.distill
    if params is None:
        raise PlanInvalid("distillation needs a teacher", where="distill", next_step="add distill.teacher_model")
    if params.mode == "on_policy":
        await run_on_policy(context, params)
    else:
        await run_off_policy(context, params)
