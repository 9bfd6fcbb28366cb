"""What a plan asks to be watched while it trains, and the pilot that comes before the rest of it.

Judging is `watch` and `pilot`; these are only the declarations.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

RuleName = Literal[
    "not_finite",
    "loss_explosion",
    "loss_stuck",
    "plateau",
    "over_fitting",
    "reward_collapse",
    "zero_advantage",
    "entropy_collapse",
    "kl_blow_up",
    "all_masked",
    "throughput_collapse",
    "budget",
]
Action = Literal["off", "note", "notify", "pause", "stop"]

DEFAULT_ACTIONS: dict[RuleName, Action] = {
    "not_finite": "stop",
    "loss_explosion": "pause",
    "loss_stuck": "notify",
    "plateau": "note",
    "over_fitting": "notify",
    "reward_collapse": "pause",
    "zero_advantage": "notify",
    "entropy_collapse": "notify",
    "kl_blow_up": "pause",
    "all_masked": "stop",
    "throughput_collapse": "note",
    "budget": "notify",
}
"""What an alert does unless the plan says otherwise; what surely wastes money stops or pauses."""


Rate = Annotated[float, Field(gt=0, le=1)]


def _power_of_two(rank: int) -> int:
    if rank & (rank - 1):
        raise ValueError(f"{rank} is not a power of two")
    return rank


Rank = Annotated[int, Field(ge=1), AfterValidator(_power_of_two)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EarlyStopping(_Part):
    """Stop at a checkpoint when a held-out metric no longer gets better."""

    metric: Literal["val_mean_nll", "score", "val_reward", "val_accuracy", "val_teacher_kl"] = Field(
        default="val_mean_nll", description="What must keep getting better."
    )
    patience: int = Field(default=3, ge=1, description="Evals in a row without a better value before it stops.")
    min_delta: float = Field(default=0.0, ge=0, description="How much better counts as better.")


class WatchPlan(_Part):
    """Watch rules: each is on with a default action, see `DEFAULT_ACTIONS`."""

    actions: dict[RuleName, Action] = Field(default={}, description="Actions other than the defaults, by rule.")
    early_stopping: EarlyStopping | None = Field(default=None, description="Stop when a metric stalls; empty: never.")

    @property
    def needs_scores(self) -> bool:
        """Whether the score is taken at each eval, since it decides when to stop, and not only before and after."""
        return self.early_stopping is not None and self.early_stopping.metric == "score"

    def action(self, rule: RuleName) -> Action:
        """What an alert of this rule does."""
        return self.actions.get(rule, DEFAULT_ACTIONS[rule])


class RangeTest(_Part):
    """Short runs at other learning rates and ranks before the first step: each on a new LoRA, which is not kept."""

    steps: int = Field(default=20, ge=6, le=200, description="Steps of each of its cells.")
    learning_rates: tuple[Rate, ...] = Field(
        default=(), max_length=9, description="Tried beside the plan's own; empty: from a tenth to ten times it."
    )
    lora_ranks: tuple[Rank, ...] = Field(default=(), max_length=5, description="Tried beside the plan's own.")
    min_fall: float = Field(
        default=0.8, gt=0, le=1, description="Share of the best cell's fall of the loss that the plan's own must reach."
    )
    if_worse: Literal["note", "pause", "stop"] = Field(
        default="pause", description="When it falls by less: only tell, pause until a person resumes, or stop."
    )
    parallel: int = Field(default=4, ge=1, le=16, description="Cells that are trained at the same time.")


class PilotPlan(_Part):
    """The first steps of the run, at its full config, after which gates decide whether the rest may follow."""

    steps: int = Field(default=10, ge=2, description="Steps of the pilot; they count as steps of the run.")
    then: Literal["continue", "ask"] = Field(
        default="continue", description="When its gates pass: continue, or pause until a person resumes."
    )
    max_cost_factor: float = Field(
        default=1.5, gt=0, description="Measured cost of the whole run over its estimate, at most."
    )
    max_truncated_share: float = Field(default=0.05, ge=0, le=1, description="Share of rows that are cut, at most.")
    # Left out where there is none, so that an earlier plan keeps the hash that it was approved by.
    range_test: RangeTest | None = Field(
        default=None,
        exclude_if=lambda test: test is None,
        description="Other learning rates and ranks, tried before the first step; empty: none.",
    )
