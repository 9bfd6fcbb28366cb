"""The LoRA that an attempt trains: its own checkpoint, the weights it starts from, or a new one."""

from __future__ import annotations

from tcao_tui.clients.tinker_port import Trainer
from tcao_tui.methods.port import RunContext


async def open_trainer(context: RunContext) -> Trainer:
    """Open it as the context says.

    Raises:
        Transient: The server was lost, or would not load the resume point.
        BackendError: The server refuses, or the weights to start from are gone.
    """
    resume = context.resume_point
    return await context.backend.open_trainer(
        context.plan.training,
        state_path=context.start_path if resume is None else resume.state_path,
        metadata={"run_name": context.plan.training.run_name, "method": context.plan.method},
        with_optimizer=resume is not None,
    )
