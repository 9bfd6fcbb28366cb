"""The training part of a plan: `training-config.yaml`, the single source of truth for hyperparameters.

Every field's description is its documentation in the file, the forms, the flags and the planner's tool schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tcao_tui.domain.rules import broken_rule

WEEK_SECONDS = 7 * 24 * 3600

TrainOnWhat = Literal[
    "last_assistant_message",
    "last_assistant_turn",
    "all_assistant_messages",
    "all_messages",
    "all_tokens",
    "all_user_and_system_messages",
]
"""Names of the cookbook's `TrainOnWhat`: which tokens carry loss."""

Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
RUN_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


LrSchedule = Literal["constant", "linear", "cosine"]
SettingKey = Literal["learning_rate", "eval_every"]
"""Settings that may change while a run trains."""


class SettingChange(BaseModel):
    """A setting that was changed while a run trained: it holds from update `step` on, and a replay repeats it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    step: int = Field(ge=1, description="First update that it holds for.")
    key: SettingKey = Field(description="Which setting.")
    value: float = Field(ge=0, description="Its new value; for learning_rate the peak that the schedule scales.")
    by: str = Field(default="", description="Who changed it.")
    why: str = Field(default="", description="Why.")


class TrainingConfig(BaseModel):
    """Hyperparameters and data of one training."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)

    base_model: str = Field(min_length=1, description="Model to start from, as the server names it.")
    run_name: str = Field(pattern=RUN_NAME_PATTERN, description="Label of the run: letters, digits, . _ -")
    train_file: Path = Field(description="Training rows; `tcao data inspect` shows how they are read.")
    val_file: Path | None = Field(default=None, description="Validation rows, same formats; never trained on.")
    lora_rank: Positive = Field(default=32, description="LoRA rank, a power of two within the model's cap.")
    train_mlp: bool = Field(default=True, description="LoRA on MLP/MoE layers.")
    train_attn: bool = Field(default=True, description="LoRA on attention layers.")
    train_unembed: bool = Field(default=True, description="LoRA on the unembedding.")
    max_seq_len: Positive = Field(default=4096, description="Tokens per row; longer rows are cut and counted.")
    train_batch_size: Positive = Field(default=128, description="Rows per optimiser step.")
    num_steps: Positive = Field(default=100, description="Optimiser steps in total.")
    eval_every: NotNegative = Field(default=20, description="Steps between validations; 0: only at the ends.")
    learning_rate: float = Field(gt=0, le=1, description="Adam's learning rate.")
    weight_decay: float = Field(default=0.0, ge=0, lt=1, description="Decoupled weight decay.")

    save_every: NotNegative = Field(default=20, description="Steps between checkpoints; 0: only at the end.")
    lr_schedule: LrSchedule = Field(
        default="constant", description="Learning rate after the warm-up: constant, or falling to zero at the end."
    )
    warmup_steps: NotNegative = Field(default=0, description="Steps in which the learning rate rises from zero.")
    batch_tokens: int | None = Field(
        default=None, ge=1, description="Tokens per optimiser step; train_batch_size then counts for nothing. SFT only."
    )
    submit_ahead: NotNegative = Field(default=2, description="Batches sent before the oldest is waited for.")
    seed: int = Field(default=0, description="Seeds LoRA initialisation, row order and sampling.")
    renderer_name: str | None = Field(default=None, description="Cookbook renderer; empty: the recommended one.")
    train_on_what: TrainOnWhat = Field(default="all_assistant_messages", description="Tokens that carry loss.")
    input_field: str = Field(default="input", min_length=1, description="Field of a row that holds the prompt.")
    output_field: str = Field(default="output", min_length=1, description="Field that holds the answer.")
    chosen_field: str = Field(
        default="chosen", min_length=1, description="Field of a pair that holds the better answer."
    )
    rejected_field: str = Field(default="rejected", min_length=1, description="Field that holds the worse answer.")
    data_format: str | None = Field(default=None, description="Format of the rows; empty: detected, see `tcao data`.")
    adam_beta1: float = Field(default=0.9, ge=0, lt=1, description="Adam's beta1.")
    adam_beta2: float = Field(default=0.95, ge=0, lt=1, description="Adam's beta2.")
    adam_eps: float = Field(default=1e-8, gt=0, description="Adam's epsilon; the cookbook's default.")
    grad_clip_norm: float = Field(default=0.0, ge=0, description="Clip gradients to this norm; 0: do not clip.")
    checkpoint_ttl_seconds: int = Field(
        default=WEEK_SECONDS,
        ge=WEEK_SECONDS,
        description="Life of a resume point on the server; at least 7 days.",
    )
    changes: tuple[SettingChange, ...] = Field(
        default=(), description="Changes made while the recorded run trained; a replay repeats them."
    )

    @property
    def step_size(self) -> str:
        """What one update is made of, for people: `128 rows`, or `16,384 tokens`."""
        return f"{self.train_batch_size:,} rows" if self.batch_tokens is None else f"{self.batch_tokens:,} tokens"

    @field_validator("lora_rank")
    @classmethod
    def _rank_is_a_power_of_two(cls, rank: int) -> int:
        if rank & (rank - 1):
            below = 1 << (rank.bit_length() - 1)
            raise broken_rule(
                f"{rank} is not a power of two; the nearest are {below} and {below * 2}",
                expected="a power of two",
                fix=f"set it to {below} or {below * 2}",
            )
        return rank

    @model_validator(mode="after")
    def _combinations_make_sense(self) -> Self:
        if not (self.train_mlp or self.train_attn or self.train_unembed):
            raise broken_rule(
                "train_mlp, train_attn and train_unembed are all false: nothing would be trained",
                expected="at least one of the three true, best all",
                fix="set train_mlp, train_attn and train_unembed to true",
                key="train_mlp",
            )
        if self.val_file is not None and self.val_file == self.train_file:
            raise broken_rule(
                "val_file is train_file: validation on training rows says nothing",
                expected="rows that are not trained on",
                fix="name another file, or split this one with `tcao data split`",
                key="val_file",
            )
        if self.input_field == self.output_field:
            raise broken_rule(
                f"input_field and output_field are both {self.input_field!r}",
                expected="two different fields",
                fix="set output_field to the field that holds the answer",
                key="output_field",
            )
        return self
