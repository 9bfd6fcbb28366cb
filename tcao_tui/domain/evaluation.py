"""An evaluation: which weights answer which tasks under which settings, what consent is bound to, how far each cell is.

A cell is one task over one subject. Its items are what a comparison is made of, so they are kept one by one; scores,
intervals and verdicts are calculated from them and never stored.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tcao_tui.domain.plan import PriceQuote

Layer = Literal[1, 2, 3]
"""Training metrics, public benchmarks, the product."""

Harness = Literal["inspect", "held_out", "python"]
"""An Inspect task; the loss on rows of one's own; a python evaluator in the cookbook's form."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Subject(_Part):
    """Weights that are evaluated.

    Attributes:
        name: What people call it, unique in an evaluation: the base model's name, or `RUN@STEP`.
        checkpoint: `tinker://` path of sampler weights; empty for a base model.
        state: `tinker://` path of the training state of the same step, where there is one; for the loss on rows.
        run_id, step: The run that trained it; empty and 0 for a base model.
        renderer: Chat format it was trained with; empty for the recommended one.
    """

    name: str = Field(min_length=1)
    base_model: str
    checkpoint: str = ""
    state: str = ""
    run_id: str = ""
    step: int = 0
    renderer: str = ""

    @property
    def identity(self) -> str:
        """What is the same wherever these very weights are evaluated."""
        return self.checkpoint or self.base_model

    @property
    def is_base(self) -> bool:
        """Whether nothing was trained."""
        return not self.checkpoint


class EvalTask(_Part):
    """What is asked of every subject alike; all of it changes what a score means.

    Attributes:
        name: What people call it, unique in an evaluation: `inspect_evals/gsm8k`, or a file's name.
        target: What the harness runs: a task of Inspect's registry, `FILE.py@TASK`, a file of rows, `module:attribute`.
        arguments: Of the task, as `--task-config` takes them; `-T` would split text at its commas.
        files: Further arguments, which name files; where `content` stands for them, their places mean nothing.
        generate: Settings of every answer, as Inspect names them: temperature, max_tokens, reasoning_effort.
        limit: Samples, drawn with `seed`; None takes all.
        epochs: Answers to each sample.
        scorer: Which scorer counts, where a task has several; `SCORER/KEY` for one number of a score that has several;
            empty for the first.
        judge: Model that grades, as Inspect names it; empty where none does.
        content: SHA-256 over the files that the task is made of; empty where a version stands for it.
        version: Of the task, such as that of its package.
        is_guardrail: Whether it must not get worse, rather than better.
    """

    name: str = Field(min_length=1)
    layer: Layer
    harness: Harness = "inspect"
    target: str
    arguments: dict[str, JsonValue] = {}
    files: dict[str, str] = {}
    generate: dict[str, JsonValue] = {}
    limit: int | None = Field(default=None, ge=1)
    seed: int = 0
    epochs: int = Field(default=1, ge=1)
    scorer: str = ""
    judge: str = ""
    content: str = ""
    version: str = ""
    higher_is_better: bool = True
    is_guardrail: bool = False

    @property
    def identity(self) -> str:
        """Hash of what a score of it means, 16 hex digits: cells of two evaluations compare when theirs are equal."""
        what = self.model_dump(mode="json", exclude={"name", "is_guardrail"})
        if self.content:
            del what["target"], what["files"]
        return _hash(what)


class EvaluationSpec(_Part):
    """Every task over every subject, on one server."""

    version: Literal[1] = 1
    title: str
    profile: str = Field(description="Name of the server's profile.")
    run_id: str = Field(default="", description="The run it is about; empty for weights of none of ours.")
    subjects: tuple[Subject, ...] = Field(min_length=1, description="The base model first, then by step.")
    tasks: tuple[EvalTask, ...] = Field(min_length=1)
    max_cost_usd: float | None = Field(default=None, ge=0, description="Stop at this cost, USD.")

    def approval_hash(self, quote: PriceQuote) -> str:
        """What consent is bound to: weights, tasks, settings, cap and prices; 16 hex digits."""
        return _hash({"spec": self.model_dump(mode="json"), "prices": quote.model_dump(mode="json")})


class CellKey(NamedTuple):
    """Names of a task and a subject of one evaluation."""

    task: str
    subject: str


class CellState(StrEnum):
    """How far a cell is."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def is_live(self) -> bool:
        """Whether a process has it."""
        return self in (CellState.STARTING, CellState.RUNNING, CellState.DRAINING)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes unless somebody asks for it."""
        return self in (CellState.DONE, CellState.PARTIAL, CellState.FAILED, CellState.CANCELLED)


class Counts(_Part):
    """Answers of a cell; `status` of a log says nothing of them.

    Attributes:
        planned: That are to be given, epochs included.
        completed: That ended, with a score or without.
        errored: That ended in an error and have none.
        unscored: That nobody could grade.
        truncated: That ran into the limit of tokens.
        in_flight: Under way now.
    """

    planned: int = 0
    completed: int = 0
    errored: int = 0
    unscored: int = 0
    truncated: int = 0
    in_flight: int = 0


class Usage(_Part):
    """Tokens and what they cost; `usd` None is unknown, never 0. The judge's are apart from the subject's."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0
    judge_tokens: int = 0
    judge_usd: float | None = 0.0


class EvalProcess(_Part):
    """The process that has a cell; `ticks` and `boot_id` tell it from a later one of the same pid.

    Attributes:
        ticks: When it began, in clock ticks since boot; None where that cannot be read.
        socket: Path of the socket at which its Inspect takes orders; empty where it has none.
    """

    pid: int
    ticks: int | None
    boot_id: str = ""
    socket: str = ""


class CellRecord(_Part):
    """A cell as it is stored.

    Attributes:
        log: Its Inspect log, relative to the evaluation's directory; empty before there is one.
        tried: Processes that have had it.
        problem: What went wrong, and what to do, for people.
        numbers: Further numbers of the whole cell: perplexity, bits per byte, metrics of a python evaluator.
        started_at, ended_at: Unix seconds; None before.
    """

    task: str
    subject: str
    state: CellState = CellState.WAITING
    counts: Counts = Counts()
    usage: Usage = Usage()
    process: EvalProcess | None = None
    log: str = ""
    tried: int = 0
    problem: str = ""
    next_step: str = ""
    numbers: dict[str, float] = {}
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def key(self) -> CellKey:
        """Which cell it is."""
        return CellKey(self.task, self.subject)


class ItemResult(_Part):
    """What a subject got for one item: the mean over its epochs.

    Attributes:
        value: Score, 0 to 1 for right and wrong, nats per token for a loss; None when it errored or has no grade.
        cluster: Items of one text, document or template belong together; empty: the item stands alone.
        truncated: An answer ran into the limit of tokens.
        error: What went wrong, one line; empty when nothing did.
        epochs: Answers that the value is the mean of.
        tokens: Written for it.
    """

    item: str
    value: float | None
    cluster: str = ""
    truncated: bool = False
    error: str = ""
    epochs: int = 1
    tokens: int = 0


class EvaluationRecord(_Part):
    """An evaluation as it was asked for; `approval` is how consent was given. `created_at` is Unix seconds."""

    evaluation_id: str
    spec: EvaluationSpec
    approval_hash: str
    approved_by: str
    approved_how: Literal["typed", "hash", "auto"]
    quote: PriceQuote
    created_at: float


class Choice(_Part):
    """A person's word on which weights to use, which overrules the rule; `at` is Unix seconds."""

    run_id: str
    subject: str
    checkpoint: str
    reason: str = Field(min_length=1)
    by: str
    at: float


def _hash(plain: JsonValue) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
