"""Checkpoints as values: the data cursor, the record of a saved checkpoint and its name."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

CheckpointReason = Literal["periodic", "requested", "pause", "stop", "stage", "final"]

RUN_KEY = "tcao_run"
"""Key of the user metadata that names the run a checkpoint, a session or a training belongs to."""

_NAME = re.compile(r"^(\d{3,})-(\d{6,})$")


def checkpoint_name(attempt: int, step: int) -> str:
    """Name of the checkpoint that `attempt` saves after `step` updates; never used twice in a run."""
    return f"{attempt:03d}-{step:06d}"


def parse_checkpoint_name(name: str) -> tuple[int, int] | None:
    """Attempt and step of one of our checkpoint names, or None for a foreign name."""
    match = _NAME.match(name)
    return (int(match[1]), int(match[2])) if match else None


class DataCursor(BaseModel):
    """Where training goes on: the next batch to train, both counted from 0."""

    model_config = ConfigDict(frozen=True)

    epoch: int
    batch: int

    @classmethod
    def after(cls, step: int, batches_per_epoch: int) -> DataCursor:
        """The cursor when `step` updates have been applied."""
        epoch, batch = divmod(step, batches_per_epoch)
        return cls(epoch=epoch, batch=batch)


class CheckpointRecord(BaseModel):
    """One checkpoint that holds training state; readers outlive writers, so unknown keys are kept.

    Attributes:
        step: Updates applied to these weights.
        state_path: `tinker://` path of weights and optimiser.
        sampler_path: `tinker://` path for sampling; None when only training state was saved.
        expires_at: Unix seconds; None when it is kept.
        adopted: Found on the server by a later attempt, because its writer died before recording it.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    attempt: int
    step: int
    cursor: DataCursor
    reason: CheckpointReason
    state_path: str
    sampler_path: str | None = None
    expires_at: float | None = None
    config_hash: str = ""
    adopted: bool = False
