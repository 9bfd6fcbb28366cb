"""Samples of Inspect as items: the mean of the epochs, what was cut off, what errored, what nobody could grade."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from inspect_ai.log import EvalSample
from inspect_ai.scorer import value_to_float

from tcao_tui.domain.evaluation import Counts, ItemResult
from tcao_tui.domain.plain_text import one_line

_CUT = ("max_tokens", "model_length")
_ERROR_WIDTH = 300


def item_result(name: str, samples: Sequence[EvalSample], scorer: str) -> ItemResult:
    """An item from all of its epochs; it has a value when every one of them has.

    Args:
        name: Id of the item.
        samples: One for each epoch that ended.
        scorer: Which scorer counts, `NAME/KEY` for one value of several; empty for the first.
    """
    values = [value for sample in samples if (value := sample_value(sample, scorer)) is not None]
    error = next((sample.error.message for sample in samples if sample.error is not None), "")
    metadata = samples[0].metadata or {}
    return ItemResult(
        item=name,
        value=fmean(values) if len(values) == len(samples) else None,
        cluster=str(metadata.get("cluster", "")),
        truncated=any(is_cut(sample) for sample in samples),
        error=one_line(error, _ERROR_WIDTH),
        epochs=len(samples),
        tokens=sum(sample.output.usage.output_tokens for sample in samples if sample.output.usage),
    )


def sample_value(sample: EvalSample, scorer: str) -> float | None:
    """The score of a sample as a number; None when it errored or has none."""
    scores = sample.scores or {}
    if sample.error is not None or not scores:
        return None
    name, key = _scorer_and_key(scorer, list(scores))
    score = scores.get(name)
    if score is None:
        return None
    value = score.value
    if isinstance(value, dict):
        value = value.get(key) if key else next(iter(value.values()), None)
    if value is None or isinstance(value, list | dict):
        return None
    number = value_to_float()(value)
    return number if math.isfinite(number) else None


def _scorer_and_key(scorer: str, known: Sequence[str]) -> tuple[str, str]:
    """A scorer's own name may have a slash, as those of packages do."""
    if not scorer:
        return known[0], ""
    if scorer in known:
        return scorer, ""
    name, _, key = scorer.rpartition("/")
    return name, key


def is_cut(sample: EvalSample) -> bool:
    """Whether its last answer ran into the limit of tokens."""
    return bool(sample.output.choices) and sample.output.stop_reason in _CUT


def with_sample(counts: Counts, sample: EvalSample, scorer: str) -> Counts:
    """The counts after one more sample ended."""
    one = counts_of([sample], scorer, planned=0)
    return counts.model_copy(
        update={
            name: getattr(counts, name) + getattr(one, name)
            for name in ("completed", "errored", "unscored", "truncated")
        }
    )


def counts_of(samples: Iterable[EvalSample], scorer: str, *, planned: int) -> Counts:
    """Answers by what became of them."""
    found = list(samples)
    errored = sum(sample.error is not None for sample in found)
    ungraded = sum(sample_value(sample, scorer) is None for sample in found)
    return Counts(
        planned=max(planned, len(found)),
        completed=len(found),
        errored=errored,
        unscored=ungraded - errored,
        truncated=sum(is_cut(sample) for sample in found),
    )
