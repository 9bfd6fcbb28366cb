"""What each training method needs besides the hyperparameters that all share; one section of the plan per method.

Numbers are the cookbook's defaults (0.6.1) unless a description says otherwise. SFT needs no section.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tcao_tui.domain.rules import broken_rule


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DpoParams(_Params):
    """Direct preference optimisation on pairs of answers."""

    beta: float = Field(default=0.1, gt=0, le=10, description="Strength of the pull towards the reference model.")
    reference: Literal["start", "base"] = Field(
        default="start", description="Reference model: the weights that training starts from, or the base model."
    )


class RlParams(_Params):
    """Reinforcement learning on problems whose answers a grader checks."""

    grader: str = Field(
        default="exact", description="Grader that is the reward; with its argument after a colon: regex:answer (.+)"
    )
    environment: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:\w+$",
        description="module:function that builds a cookbook RLDataset, for several turns or tools; empty: the rows.",
    )
    group_size: int = Field(default=16, ge=2, le=256, description="Answers sampled per problem.")
    max_tokens: int = Field(default=512, ge=1, description="Tokens per answer.")
    temperature: float = Field(default=1.0, gt=0, le=2, description="Sampling temperature.")
    loss_fn: Literal["importance_sampling", "ppo", "cispo"] = Field(
        default="importance_sampling", description="Policy-gradient loss."
    )
    kl_penalty_coef: float = Field(default=0.0, ge=0, description="Weight of the KL penalty towards the start.")
    num_substeps: int = Field(default=1, ge=1, description="Optimiser steps that a batch of answers is divided into.")
    remove_constant_reward_groups: bool = Field(
        default=False, description="Leave out groups whose answers all earn the same: they teach nothing."
    )
    max_steps_off_policy: int = Field(default=0, ge=0, description="Staleness allowed; 0 trains on policy.")

    @model_validator(mode="after")
    def _every_batch_is_trained(self) -> Self:
        if self.remove_constant_reward_groups and self.max_steps_off_policy:
            raise broken_rule(
                "groups cannot be left out while sampling runs ahead: batches would run out before the steps do",
                expected="remove_constant_reward_groups false, or max_steps_off_policy 0",
                fix="set rl.remove_constant_reward_groups to false: such groups teach nothing, trained or not",
                key="remove_constant_reward_groups",
            )
        return self


class TeacherSpec(_Params):
    """A further teacher, and the prompts that it scores."""

    model: str = Field(min_length=1, description="Teacher, as the server names it.")
    checkpoint: str | None = Field(default=None, description="Sampler weights, tinker://...")
    prompts_file: Path = Field(description="Rows whose prompts this teacher scores.")


class DistillParams(_Params):
    """Distillation: the student's own answers scored by a teacher, or the teacher's answers imitated."""

    mode: Literal["on_policy", "off_policy"] = Field(
        default="on_policy", description="on_policy: the student answers; off_policy: SFT on the teacher's answers."
    )
    teacher_model: str = Field(min_length=1, description="Teacher, as the server names it.")
    teacher_checkpoint: str | None = Field(default=None, description="Sampler weights of the teacher, tinker://...")
    group_size: int = Field(default=4, ge=1, le=256, description="Answers sampled per prompt.")
    max_tokens: int = Field(default=512, ge=1, description="Tokens per answer.")
    temperature: float = Field(default=1.0, gt=0, le=2, description="Sampling temperature.")
    kl_penalty_coef: float = Field(default=1.0, gt=0, description="Weight of the KL towards the teacher.")
    more_teachers: tuple[TeacherSpec, ...] = Field(
        default=(), max_length=7, description="Further teachers with prompts of their own; on_policy only."
    )


class RlhfParams(_Params):
    """SFT, then a preference model, then RL against it."""

    reward_steps: int = Field(default=100, ge=1, description="Steps of the preference model.")
    reward_learning_rate: float = Field(default=3e-4, gt=0, le=1, description="Its learning rate.")
    rl_steps: int = Field(default=100, ge=1, description="Steps of RL against it.")
    rl_learning_rate: float = Field(default=1e-5, gt=0, le=1, description="Learning rate of the RL stage.")
    group_size: int = Field(default=4, ge=2, le=256, description="Answers sampled per prompt.")
    max_tokens: int = Field(default=512, ge=1, description="Tokens per answer.")
    kl_penalty_coef: float = Field(default=0.01, ge=0, description="Weight of the KL penalty towards the SFT model.")


METHOD_PARAMS: dict[str, type[BaseModel] | None] = {
    "sft": None,
    "dpo": DpoParams,
    "rl": RlParams,
    "distill": DistillParams,
    "rlhf": RlhfParams,
    "preference_model": None,
    "pipeline": None,
}
"""Methods that a plan can be made for, and their section; which of them a worker can carry out is `methods.METHODS`."""
