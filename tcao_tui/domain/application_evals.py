"""Layer-3 evals of a plan besides its score: what the product is for, asked of checkpoints after training."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from tcao_tui.domain.rules import broken_rule

ROWS_MAX_TOKENS = 64
"""Tokens of an answer to rows, unless the plan says otherwise."""

JUDGED = ("model", "pairwise")
"""Graders that ask a judge: one answer by a rubric, or the answer against another one in both orders."""


class ApplicationEval(BaseModel):
    """Rows and a grader, a task of Inspect's form, or an evaluator in Python."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[\w][\w .@-]{0,59}$", description="What people call it; each eval has its own.")
    kind: Literal["rows", "inspect", "python"] = Field(default="rows", description="What it is made of.")
    file: Path | None = Field(
        default=None, description="Rows with the wanted answers, never trained on, or the .py file of an Inspect task."
    )
    entry: str = Field(default="", description="Task in that file, or module:Class of a SamplingClientEvaluator.")
    arguments: dict[str, JsonValue] = Field(default={}, description="Arguments of an Inspect task or an evaluator.")
    grader: str = Field(default="exact", description="Of rows: a grader; model and pairwise ask the judge.")
    judge: str = Field(default="", description="Model that grades, as Inspect names it: anthropic/MODEL, tcao/BASE.")
    rubric: str = Field(default="", max_length=8000, description="For the judge: what makes an answer right.")
    opponents: Path | None = Field(
        default=None, description="Of pairwise: rows with the answers to beat; empty: the wanted ones."
    )
    max_rows: int | None = Field(default=100, ge=1, description="Samples, drawn with the plan's seed; empty: all.")
    max_tokens: int | None = Field(
        default=None, ge=1, description="Tokens generated per answer; empty: 64 for rows, as an Inspect task says."
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="0 is greedy; empty: 0 for rows, as an Inspect task says."
    )
    epochs: int = Field(default=1, ge=1, le=32, description="Answers to each sample.")
    lower_is_better: bool = Field(default=False, description="Direction of its score.")
    input_field: str | None = Field(default=None, description="Field that holds the prompt; empty: as in training.")
    output_field: str | None = Field(default=None, description="Field that holds the answer; empty: as in training.")

    @property
    def generate(self) -> dict[str, JsonValue]:
        """Settings of every answer, as Inspect names them; what is not said is left to the task."""
        defaults = {"temperature": 0.0, "max_tokens": ROWS_MAX_TOKENS} if self.kind == "rows" else {}
        said = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {**defaults, **{name: value for name, value in said.items() if value is not None}}

    @property
    def is_judged(self) -> bool:
        """Whether a model grades its rows."""
        return self.kind == "rows" and self.grader in JUDGED

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needs_file, needs_entry = self.kind != "python", self.kind != "rows"
        if needs_file and self.file is None:
            raise broken_rule(f"kind {self.kind} without a file", expected="the file", fix="add its file", key="file")
        if needs_entry and not self.entry:
            example = "module:Class" if self.kind == "python" else "the name of the task in the file"
            raise broken_rule(f"kind {self.kind} without an entry", expected=example, fix="add its entry", key="entry")
        if self.kind == "python" and ":" not in self.entry:
            raise broken_rule(
                f"entry {self.entry!r} names no class", expected="module:Class", fix="write module:Class", key="entry"
            )
        return self

    @model_validator(mode="after")
    def _names_a_judge_where_one_is_asked(self) -> Self:
        if self.is_judged and not self.judge:
            raise broken_rule(
                f"grader {self.grader} without a judge: the model under test would grade itself",
                expected="a model, as Inspect names it",
                fix="add its judge, such as anthropic/claude-sonnet-4-5",
                key="judge",
            )
        if self.opponents is not None and self.grader != "pairwise":
            raise broken_rule(
                f"opponents with grader {self.grader}",
                expected="grader pairwise, or no opponents",
                fix="set its grader to pairwise, or remove opponents",
                key="opponents",
            )
        if self.epochs > 1 and self.generate.get("temperature") == 0:
            raise broken_rule(
                f"{self.epochs} epochs of greedy answers, which are all the same",
                expected="one epoch, or a temperature above 0",
                fix="set its temperature to 1, or its epochs to 1",
                key="epochs",
            )
        return self
