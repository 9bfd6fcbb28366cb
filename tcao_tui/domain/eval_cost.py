"""What an evaluation costs: tokens at a price, and in advance as low, expected and high; unknown is None, never 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tcao_tui.domain.cost import NO_COST, UNKNOWN_COST, CostRange, known_sum, sampling_usd
from tcao_tui.domain.evaluation import EvaluationSpec, Usage
from tcao_tui.domain.plan import PriceQuote


@dataclass(frozen=True, slots=True)
class TaskSize:
    """What one subject reads and writes in a task, tokens: low, expected and high of what it writes.

    Attributes:
        answers: Samples times epochs.
        judge_usd: What grading by a model costs; 0 without a judge, None where its price is unknown.
    """

    answers: int
    input_tokens: int
    output_tokens: tuple[int, int, int]
    judge_usd: float | None = 0.0

    @property
    def tokens(self) -> int:
        """Expected, read and written."""
        return self.input_tokens + self.output_tokens[1]


def usd_of(usage: Usage, quote: PriceQuote) -> float | None:
    """USD of a subject's tokens at these prices; None when a price that it needs is unknown."""
    return sampling_usd(
        quote.prefill_usd,
        quote.sample_usd,
        read=usage.input_tokens,
        cached=usage.cached_tokens,
        written=usage.output_tokens,
    )


def priced(usage: Usage, quote: PriceQuote) -> Usage:
    """The same with its cost filled in where nobody knew it before and the prices tell."""
    return usage if usage.usd is not None else usage.model_copy(update={"usd": usd_of(usage, quote)})


def total(usages: Iterable[Usage]) -> Usage:
    """The sum; unknown as soon as one of them is."""
    found = list(usages)
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in found),
        cached_tokens=sum(usage.cached_tokens for usage in found),
        output_tokens=sum(usage.output_tokens for usage in found),
        usd=known_sum(usage.usd for usage in found),
        judge_tokens=sum(usage.judge_tokens for usage in found),
        judge_usd=known_sum(usage.judge_usd for usage in found),
    )


def spent_usd(usages: Iterable[Usage]) -> float:
    """What is known to be spent, the judge's included; what is unknown is not in it."""
    return sum((usage.usd or 0.0) + (usage.judge_usd or 0.0) for usage in usages)


def expected_cost(spec: EvaluationSpec, sizes: Mapping[str, TaskSize], quote: PriceQuote) -> CostRange:
    """What all cells may cost.

    Args:
        spec: The evaluation.
        sizes: Of each task, by name; one that is missing makes the cost unknown.
        quote: Prices of the subjects' base model.
    """
    if quote.is_free and not any(task.judge for task in spec.tasks):
        return NO_COST
    found = [sizes.get(task.name) for task in spec.tasks]
    known = [size for size in found if size is not None]
    if len(known) < len(found):
        return UNKNOWN_COST
    sums = [known_sum(_usd(size, which, quote) for size in known) for which in range(3)]
    low, expected, high = (None if usd is None else usd * len(spec.subjects) for usd in sums)
    return CostRange(low, expected, high)


def _usd(size: TaskSize, which: int, quote: PriceQuote) -> float | None:
    usage = Usage(input_tokens=size.input_tokens, output_tokens=size.output_tokens[which])
    subject = usd_of(usage, quote)
    return None if subject is None or size.judge_usd is None else subject + size.judge_usd
