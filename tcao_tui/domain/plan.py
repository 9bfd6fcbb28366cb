"""The Plan: everything needed to carry a run out again, and the hash that an approval is bound to.

Reading and writing plan files is the business of `store.plan_file`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tcao_tui.domain.application_evals import ApplicationEval
from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.domain.file_keys import NamedFile, named_files
from tcao_tui.domain.method_params import METHOD_PARAMS, DistillParams, DpoParams, RlhfParams, RlParams
from tcao_tui.domain.rules import broken_rule
from tcao_tui.domain.stages import Stage
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.domain.watch_plan import PilotPlan, WatchPlan

UseCase = Literal["chat", "code", "tools", "safety", "reasoning", "multilingual"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ScoreSpec(_Part):
    """A layer-3 eval: rows of `{"input","output"}` answered greedily and graded."""

    file: Path = Field(description="Rows with the wanted answers; never trained on.")
    grader: str = Field(default="exact", description="Name of the grader.")
    max_rows: int = Field(default=100, ge=1, description="Rows scored, from the top of the file.")
    max_tokens: int = Field(default=64, ge=1, description="Tokens generated per answer.")
    input_field: str | None = Field(default=None, description="Field that holds the prompt; empty: as in training.")
    output_field: str | None = Field(default=None, description="Field that holds the answer; empty: as in training.")


class BenchmarkSpec(_Part):
    """A layer-2 eval: a public benchmark of Inspect Evals, on the same seeded samples for every checkpoint."""

    name: str = Field(min_length=1, description="Task, such as inspect_evals/gsm8k.")
    limit: int | None = Field(default=100, ge=1, description="Samples, drawn with the plan's seed; empty: all.")
    why: str = Field(default="", description="What it really measures and how it bears on the goal.")


class EvalPlan(_Part):
    """What is measured besides training and validation loss."""

    sample_prompts: tuple[str, ...] = Field(
        default=(), max_length=8, description="Fixed prompts answered at each eval, to look at."
    )
    sample_max_tokens: int = Field(default=64, ge=1, description="Tokens generated per sample.")
    score: ScoreSpec | None = Field(default=None, description="Application-specific score, before and after.")
    benchmarks: tuple[BenchmarkSpec, ...] = Field(
        default=(), max_length=8, description="Public benchmarks, for what must not get worse; few and focused."
    )
    # Left out where there is none, so that a plan without keeps the hash that it was approved by.
    application: tuple[ApplicationEval, ...] = Field(
        default=(),
        max_length=16,
        description="Further evals of the task itself, asked of checkpoints after training.",
        exclude_if=lambda evals: not evals,
    )


class Budget(_Part):
    """Limits that the worker enforces."""

    max_cost_usd: float | None = Field(default=None, ge=0, description="Stop with a checkpoint at this cost, USD.")


class Success(_Part):
    """What counts as success, decided before training."""

    metric: str = Field(default="score", description="What is compared: score, val_mean_nll, or a benchmark's name.")
    threshold: float | None = Field(default=None, description="Value to reach; empty: better than the base model.")
    must_not_regress: tuple[str, ...] = Field(default=(), description="Metrics that must not get worse.")


class Decision(_Part):
    """Who decided a value of this plan, and why; for people, not part of what is approved."""

    path: str
    by: Literal["you", "data", "policy", "model"]
    reason: str = ""
    source: str = ""


class DataHashes(_Part):
    """SHA-256 of each data file and of code of one's own, hex; what is trained on and run is what was approved."""

    train_file: str = ""
    val_file: str = ""
    score_file: str = ""
    teacher_files: tuple[str, ...] = ()
    # Left out where there are none, so that a plan without them keeps the hash that it was approved by.
    application_files: tuple[str, ...] = Field(default=(), exclude_if=lambda files: not files)
    opponent_files: tuple[str, ...] = Field(default=(), exclude_if=lambda files: not files)
    code: tuple[CodeHash, ...] = Field(default=(), exclude_if=lambda code: not code)

    def code_of(self, module: str) -> str:
        """Hash of a module; empty when there is none."""
        return next((code.sha256 for code in self.code if code.module == module), "")

    def of(self, named: NamedFile) -> str:
        """Hash of a file that the plan names; empty when there is none."""
        known: str | tuple[str, ...] = getattr(self, named.field)
        if isinstance(known, str):
            return known
        numbers = [key for key in named.keys if isinstance(key, int)]
        return next(iter(known[numbers[-1] :]), "")


class Plan(_Part):
    """Goal, method, training, evals and budget of one run; frozen once approved."""

    version: Literal[1] = 1
    goal: str = Field(default="", description="What the model should become good at, in a sentence.")
    use_case: UseCase = Field(default="chat", description="Kind of use, which decides the benchmarks.")
    success: Success = Success()
    method: str = Field(default="sft", description="Training method.")
    start_from: str | None = Field(
        default=None, pattern=r"^tinker://", description="Training state to start from; empty: a new LoRA on the base."
    )
    training: TrainingConfig = Field(description="Hyperparameters, or the path of their own file.")
    dpo: DpoParams | None = Field(default=None, description="For method dpo.")
    rl: RlParams | None = Field(default=None, description="For method rl.")
    distill: DistillParams | None = Field(default=None, description="For method distill.")
    rlhf: RlhfParams | None = Field(default=None, description="For method rlhf.")
    stages: tuple[Stage, ...] = Field(default=(), max_length=8, description="For method pipeline, in their order.")
    evals: EvalPlan = EvalPlan()
    pilot: PilotPlan | None = Field(default=None, description="First steps that must pass gates; empty: none.")
    watch: WatchPlan = WatchPlan()
    budget: Budget = Budget()
    data: DataHashes = Field(default=DataHashes(), description="Filled in when the plan is resolved.")
    stage_data: tuple[DataHashes, ...] = Field(default=(), description="The same for each stage.")
    decisions: tuple[Decision, ...] = Field(default=(), description="Where the values come from, for people.")

    @model_validator(mode="after")
    def _sections_fit_the_method(self) -> Self:
        for name, params in METHOD_PARAMS.items():
            if params is not None and getattr(self, name) is not None and self.method != name:
                raise broken_rule(
                    f"section {name} belongs to method {name}, and the method is {self.method}",
                    expected=f"no section {name}, or method {name}",
                    fix=f"remove the section {name}, or set method to {name}",
                    key=name,
                )
        if self.method == "distill" and self.distill is None:
            raise broken_rule(
                "method distill needs a section distill with a teacher_model",
                expected="the teacher, as the server names it",
                fix="add distill.teacher_model",
                key="distill.teacher_model",
            )
        return self

    @model_validator(mode="after")
    def _stages_fit_the_method(self) -> Self:
        if (self.method == "pipeline") != bool(self.stages):
            raise broken_rule(
                f"method {self.method} and {len(self.stages)} stages do not go together",
                expected="stages with method pipeline, and no other method",
                fix="set method to pipeline, or remove the stages" if self.stages else "add stages",
                key="stages",
            )
        names: list[str] = []
        for index, stage in enumerate(self.stages):
            known = ["base", "previous", *names]
            if stage.name in known or stage.start not in known:
                raise broken_rule(
                    f"stage {stage.name} starts from {stage.start}; before it there are: {', '.join(known)}",
                    expected="a name of its own, and a start among the stages before it",
                    fix=f"rename it, or set stages.{index}.start to one of these",
                    key=f"stages.{index}",
                )
            names.append(stage.name)
        return self

    def canonical(self) -> dict[str, Any]:
        """Plain values with data named by content, not by place: a copy elsewhere is the same plan."""
        plain = self.model_dump(mode="json", exclude={"decisions"})
        for named in named_files(plain):
            hashes = self.data if named.stage is None else next(iter(self.stage_data[named.stage :]), DataHashes())
            named.replace(hashes.of(named))
        return plain


class PriceQuote(_Part):
    """Prices that an approval was given for, USD per million tokens; None is unknown, never free."""

    backend: str = Field(description="Address of the server the plan would run on.")
    source: str = Field(description="Where the numbers come from.")
    train_usd: float | None = None
    prefill_usd: float | None = None
    sample_usd: float | None = None
    storage_usd_per_gb_month: float | None = None

    @property
    def is_free(self) -> bool:
        """Whether every price is known and zero."""
        return self.train_usd == self.prefill_usd == self.sample_usd == self.storage_usd_per_gb_month == 0


def approval_hash(plan: Plan, quote: PriceQuote) -> str:
    """Hash of the resolved plan and its prices; any change to either voids an approval.

    Returns:
        The first 16 hex digits of the SHA-256 of the canonical JSON.
    """
    body = {"plan": plan.canonical(), "prices": quote.model_dump(mode="json", exclude={"backend"})}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def config_hash(plan: Plan) -> str:
    """Hash that marks checkpoints, so that a resume with another config is noticed; 16 hex digits."""
    text = json.dumps(plan.canonical(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
