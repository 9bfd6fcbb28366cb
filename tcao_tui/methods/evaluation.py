"""What the weights are worth between updates: validation loss, answers to fixed prompts, a score.

Sampling is greedy and concurrent; every token is accounted for. A forward pass is billed at the price of training.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tcao_tui.clients.tinker_port import Sampler, StepResult, Trainer
from tcao_tui.data import score_rows
from tcao_tui.data.rows import RowRejected
from tcao_tui.data.score_rows import ScoreRow
from tcao_tui.domain.events import LogLine, PhaseChanged, Sample, SamplesTaken, Scored, Spend
from tcao_tui.domain.plan import ScoreSpec
from tcao_tui.domain.plan_data import data_files
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.at_once import at_most, in_chunks
from tcao_tui.methods.grading import Judge
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.token_rows import TokenRows

if TYPE_CHECKING:
    import tinker

FORWARD_ROWS = 64
"""Rows of one forward pass in a validation."""

FORWARDS_AT_ONCE = 4
_SAMPLES_AT_ONCE = 64
_RIGHT = 0.5
"""An answer that a grader gives a number counts as right from here on."""


def price(tokens: int, usd_per_million: float | None) -> float | None:
    """USD for `tokens`; None when the price is unknown."""
    return None if usd_per_million is None else tokens * usd_per_million / 1e6


@dataclass(slots=True)
class _Usage:
    """Tokens of one evaluation."""

    forward: int = 0
    prompt: int = 0
    sampled: int = 0
    others: list[Spend] = field(default_factory=list[Spend])

    def spends(self, context: RunContext, step: int) -> list[Spend]:
        """As ledger entries, only for what was used."""
        quote = context.backend.quote
        entries = [
            Spend(kind="prefill", step=step, tokens=self.forward, usd=price(self.forward, quote.train_usd)),
            Spend(kind="prefill", step=step, tokens=self.prompt, usd=price(self.prompt, quote.prefill_usd)),
            Spend(kind="sample", step=step, tokens=self.sampled, usd=price(self.sampled, quote.sample_usd)),
        ]
        entries += [other.model_copy(update={"step": step}) for other in self.others]
        return [entry for entry in entries if entry.tokens]


def read_score_rows(context: RunContext, spec: ScoreSpec) -> Sequence[ScoreRow]:
    """The first `max_rows` rows of the score's file, read as gates and interview read it.

    Raises:
        PlanInvalid: Bad rows, an answer that is missing, or a file that is not the approved one.
    """
    said = next(file for file in data_files(context.plan) if file.field == "score_file")
    found = score_rows.read_score_rows(spec.file, said.field_map, spec.max_rows)
    approved = context.plan.data.score_file
    if approved and found.report.sha256 != approved:
        raise PlanInvalid("the file has changed since the plan was approved", where=str(spec.file))
    return found.rows


@dataclass(frozen=True, slots=True)
class Validated:
    """What a look at held-out rows gave.

    Attributes:
        values: Metric key to number.
        forward_tokens: Tokens of forward passes, which are billed at the price of training.
        prefill_tokens: Tokens that a sampler read, such as the reference model.
        sampled_tokens: Tokens that a sampler wrote.
        spends: What models at other prices used; their step is filled in.
    """

    values: Mapping[str, float]
    forward_tokens: int = 0
    prefill_tokens: int = 0
    sampled_tokens: int = 0
    spends: Sequence[Spend] = ()


type Validate = Callable[[], Awaitable[Validated]]
"""A method's own validation of the present weights."""


@dataclass(frozen=True, slots=True)
class ValidationLoss:
    """A `Validate`: mean negative log-likelihood of held-out rows, nats per unit of weight."""

    trainer: Trainer
    rows: TokenRows

    async def __call__(self) -> Validated:
        """Measure all rows."""
        results = await at_most(FORWARDS_AT_ONCE, self._forward, in_chunks(range(len(self.rows)), FORWARD_ROWS))
        weight = sum(result.loss_tokens for result in results)
        mean = sum(result.loss_sum for result in results) / weight if weight else math.nan
        values = {"val_mean_nll": mean, "val_perplexity": _exponential(mean)}
        return Validated(values, sum(result.tokens for result in results))

    async def _forward(self, rows: Sequence[int]) -> StepResult:
        return await self.trainer.nll(self.rows.data(rows))


@dataclass(slots=True)
class Evaluator:
    """Evaluates the present weights of one trainer; `validate` is None when there are no held-out rows."""

    context: RunContext
    trainer: Trainer
    renderer: ChatRenderer
    validate: Validate | None
    score_rows: Sequence[ScoreRow]
    _usage: _Usage = field(default_factory=_Usage)

    async def evaluate(self, step: int, *, with_score: bool) -> None:
        """Measure the weights after `step` updates and commit what was found."""
        evals = self.context.plan.evals
        score = evals.score if with_score or self.context.plan.watch.needs_scores else None
        await self._measure(step, self.validate, bool(evals.sample_prompts), score)

    async def take_score(self, step: int) -> None:
        """Add the score to what an eval without it found of the weights after `step` updates."""
        if not self.context.plan.watch.needs_scores:
            await self._measure(step, None, False, self.context.plan.evals.score)

    async def _measure(self, step: int, validate: Validate | None, samples: bool, score: ScoreSpec | None) -> None:
        if validate is None and not samples and score is None:
            return
        self._usage = _Usage()
        self.context.emit(PhaseChanged(phase="evaluating"))
        values = await self._validated(validate) if validate is not None else {}
        found: list[SamplesTaken | Scored] = []
        if samples or score is not None:
            sampler = await self.trainer.sampler()
            if samples:
                found.append(SamplesTaken(step=step, samples=tuple(await self._samples(sampler))))
            if score is not None:
                found.append(await self._score(sampler, score, step))
        self.context.record_step(step, values, spends=self._usage.spends(self.context, step), found=found)

    async def _validated(self, validate: Validate) -> Mapping[str, float]:
        found = await validate()
        self._usage.forward += found.forward_tokens
        self._usage.prompt += found.prefill_tokens
        self._usage.sampled += found.sampled_tokens
        self._usage.others += found.spends
        return found.values

    async def _samples(self, sampler: Sampler) -> list[Sample]:
        evals = self.context.plan.evals
        prompts = [self.renderer.prompt([{"role": "user", "content": prompt}]) for prompt in evals.sample_prompts]
        texts = await self._answers(sampler, prompts, evals.sample_max_tokens)
        return [Sample(prompt=p, text=text) for p, text in zip(evals.sample_prompts, texts, strict=True)]

    async def _score(self, sampler: Sampler, spec: ScoreSpec, step: int) -> Scored:
        judge = Judge(spec.grader, lambda told: self.context.emit(LogLine(level="warning", message=told)))
        prompts = [self._scored_prompt(row) for row in self.score_rows]
        texts = await self._answers(sampler, prompts, spec.max_tokens)
        grades = [judge.grade(text, row.reference) for text, row in zip(texts, self.score_rows, strict=True)]
        graded = [grade for grade in grades if grade is not None]
        return Scored(
            step=step,
            name=spec.grader,
            correct=sum(grade >= _RIGHT for grade in graded),
            total=len(graded),
            unscored=len(grades) - len(graded),
        )

    def _scored_prompt(self, row: ScoreRow) -> tinker.ModelInput:
        try:
            return self.renderer.prompt(row.prompt, row.tools)
        except RowRejected as error:
            raise PlanInvalid(error.what, where=row.where, next_step=error.fix) from error

    async def _answers(self, sampler: Sampler, prompts: Sequence[tinker.ModelInput], max_tokens: int) -> list[str]:
        seed = self.context.plan.training.seed
        answers = await greedy_answers(sampler, self.renderer, prompts, max_tokens=max_tokens, seed=seed)
        self._usage.prompt += sum(prompt.length for prompt in prompts)
        self._usage.sampled += sum(len(tokens) for tokens in answers)
        return [self.renderer.text(tokens) for tokens in answers]


async def greedy_answers(
    sampler: Sampler, renderer: ChatRenderer, prompts: Sequence[tinker.ModelInput], *, max_tokens: int, seed: int
) -> list[Sequence[int]]:
    """Tokens of the likeliest answer to each prompt, in their order."""

    async def answer(prompt: tinker.ModelInput) -> Sequence[int]:
        return await sampler.sample(prompt, max_tokens=max_tokens, stop=renderer.stop, seed=seed)

    return await at_most(_SAMPLES_AT_ONCE, answer, prompts)


def _exponential(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
