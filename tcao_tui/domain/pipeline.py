"""A plan as the trainings it consists of: one for most methods, several for `pipeline` and `rlhf`.

Each stage is a whole, validated plan of its own, so that gates, cost and methods need not know of stages. Steps are
counted through: stage k trains updates `first_step + 1` to `first_step + num_steps` of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tcao_tui.domain.method_params import RlhfParams
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.stages import Stage

PREFERENCE_REWARD = "preference_model"
"""Grader of an RL stage whose reward is a preference model, named after the colon: `preference_model:STAGE`."""

STAGED_METHODS = ("pipeline", "rlhf")


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One training of a run.

    Attributes:
        first_step: Updates applied in the run before this stage.
        start: `previous`, `base`, or the name of an earlier stage.
    """

    index: int
    name: str
    plan: Plan
    first_step: int
    start: str
    choose: str

    @property
    def last_step(self) -> int:
        """Updates applied in the run when the stage is over."""
        return self.first_step + self.plan.training.num_steps


def stage_plans(plan: Plan) -> tuple[StagePlan, ...]:
    """The trainings of a plan in their order.

    Raises:
        ValidationError: A stage sets a value that makes no plan; `loc` is the key path within the stage.
    """
    if plan.method not in STAGED_METHODS:
        return (StagePlan(0, plan.method, plan, 0, "previous", "final"),)
    stages = plan.stages if plan.method == "pipeline" else _rlhf_stages(plan, plan.rlhf or RlhfParams())
    found: list[StagePlan] = []
    first_step = 0
    for index, stage in enumerate(stages):
        staged = _stage_plan(plan, stage, index)
        found.append(StagePlan(index, stage.name, staged, first_step, stage.start, stage.choose))
        first_step += staged.training.num_steps
    return tuple(found)


def total_steps(plan: Plan) -> int:
    """Updates of all stages together."""
    return sum(stage.plan.training.num_steps for stage in stage_plans(plan))


def stage_at(plan: Plan, step: int) -> StagePlan:
    """The stage that update `step` of the run belongs to."""
    stages = stage_plans(plan)
    return next((stage for stage in stages if step <= stage.last_step), stages[-1])


def teacher_models(plan: Plan) -> tuple[str, ...]:
    """Models that teach in any stage, each once."""
    taught = [stage.plan.distill for stage in stage_plans(plan)]
    named = [model for each in taught if each for model in (each.teacher_model, *(t.model for t in each.more_teachers))]
    return tuple(dict.fromkeys(named))


def _stage_plan(plan: Plan, stage: Stage, index: int) -> Plan:
    values: dict[str, Any] = plan.model_dump(exclude={"stages", "stage_data", "rlhf", "method", "decisions", "pilot"})
    values["method"] = stage.method
    for path, value in stage.set.items():
        *parents, last = path.split(".")
        at = values
        for parent in parents:
            at[parent] = at[parent] if isinstance(at.get(parent), dict) else {}
            at = at[parent]
        at[last] = value
    if index < len(plan.stage_data):
        values["data"] = plan.stage_data[index].model_dump()
    if stage.start != "previous" or index > 0:
        values["start_from"] = None
    return Plan.model_validate(values)


def _rlhf_stages(plan: Plan, params: RlhfParams) -> tuple[Stage, ...]:
    """The cookbook's three stages; all of them read the plan's preference pairs."""
    return (
        Stage(name="sft", method="sft", set={"training.data_format": plan.training.data_format or "preference"}),
        Stage(
            name="preference",
            method="preference_model",
            start="base",
            set={
                "training.num_steps": params.reward_steps,
                "training.learning_rate": params.reward_learning_rate,
                "evals.score": None,
                "evals.sample_prompts": (),
            },
        ),
        Stage(
            name="rl",
            method="rl",
            start="sft",
            set={
                "training.num_steps": params.rl_steps,
                "training.learning_rate": params.rl_learning_rate,
                "rl.grader": f"{PREFERENCE_REWARD}:preference",
                "rl.group_size": params.group_size,
                "rl.max_tokens": params.max_tokens,
                "rl.kl_penalty_coef": params.kl_penalty_coef,
            },
        ),
    )
