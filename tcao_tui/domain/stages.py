"""Stages of a plan that trains in several ones, as they are declared; `pipeline` makes a plan of each."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

STAGE_NAME_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"


class Stage(BaseModel):
    """One training of a pipeline: the plan's values, but for those in `set`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=STAGE_NAME_PATTERN, description="Name of the stage, unique in the plan.")
    method: str = Field(description="Its training method.")
    start: str = Field(
        default="previous", pattern=STAGE_NAME_PATTERN, description="Weights: previous, base, or an earlier stage."
    )
    choose: Literal["final", "best"] = Field(
        default="final", description="Checkpoint that later stages start from: the last, or the best by validation."
    )
    set: dict[str, Any] = Field(
        default={}, description="Values other than the plan's, by key path, such as training.num_steps."
    )
