"""Tokens of a file's rows: as measured with a tokenizer, else guessed from characters, with how sure that is.

Policy and cost estimate both build on these numbers; measuring is the business of `probes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.data_profile import DataProfile, Spread, TokenStats
from tcao_tui.domain.facts import Facts

CHARACTERS_PER_TOKEN = (5.0, 4.0, 2.5)
"""For the low, the expected and the high guess; English prose has about 4, code, numbers and tables fewer."""

_ALL, _SAMPLE, _OTHER_MODEL = 0.02, 0.1, 0.3


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity that is not known exactly."""

    low: float
    expected: float
    high: float

    def times(self, factor: float) -> Range:
        """All three multiplied."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    def plus(self, other: Range) -> Range:
        """Sums of the three."""
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def at_most(self, limit: float) -> Range:
        """None of the three above a limit."""
        return Range(min(self.low, limit), min(self.expected, limit), min(self.high, limit))


NOTHING = Range(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class RowTokens:
    """Mean tokens per row of a file.

    Attributes:
        row: The whole row; of the longer side for preference pairs.
        completion: The part that carries loss.
        longest: Tokens of the longest row, `longest_completion` of the longest answer.
        is_measured: Counted with a tokenizer, not guessed.
        how: How they were found, for people.
    """

    rows: int
    row: Range
    completion: Range
    longest: int
    longest_completion: int
    is_measured: bool
    how: str

    @property
    def prompt(self) -> Range:
        """The part that carries no loss."""
        gap = self.row.expected - self.completion.expected
        return Range(max(0.0, gap * 0.9), max(0.0, gap), max(0.0, gap * 1.1))


def profile_of(facts: Facts, path: Path | str | None) -> DataProfile | None:
    """What is known of a file; a file that a split wrote is known by its source until it is inspected itself."""
    known = facts.profile(path)
    if known is not None or path is None:
        return known
    for split in facts.splits:
        parts = zip((split.train, split.validation, split.test), split.rows, strict=True)
        rows = next((rows for part, rows in parts if part == Path(path)), None)
        source = facts.profile(split.source)
        if rows is not None and source is not None and source.rows:
            return _part_of(source, Path(path), rows)
    return None


def row_tokens(profile: DataProfile, model_name: str = "") -> RowTokens | None:
    """Tokens per row, counted where they were; None when the file has no rows or nothing is known of their length.

    Args:
        profile: The file.
        model_name: The model to train; tokens of another one's tokenizer count as less sure. Empty: any.
    """
    if not profile.rows:
        return None
    if profile.tokens is not None:
        return _measured(profile, profile.tokens, model_name)
    return _guessed(profile)


def _measured(profile: DataProfile, tokens: TokenStats, model_name: str) -> RowTokens:
    is_other = bool(model_name) and tokens.model != model_name
    doubt = _OTHER_MODEL if is_other else _ALL if tokens.measured == "all" else _SAMPLE
    how = f"{tokens.rows_measured:,} rows tokenised" if tokens.measured == "sample" else "all rows tokenised"
    return RowTokens(
        rows=profile.rows,
        row=_around(tokens.row.total / profile.rows, doubt),
        completion=_around(tokens.completion.total / profile.rows, doubt),
        longest=tokens.row.max,
        longest_completion=tokens.completion.max,
        is_measured=not is_other,
        how=f"{how} by another model's tokenizer" if is_other else how,
    )


def _guessed(profile: DataProfile) -> RowTokens | None:
    prompt, answer = profile.prompt_chars, profile.answer_chars
    low, expected, high = CHARACTERS_PER_TOKEN
    if prompt is None or answer is None:
        if profile.compression or not profile.size_bytes:
            return None
        mean = profile.size_bytes / profile.rows
        row = Range(mean / low, mean / expected, mean / high)
        longest = round(4 * row.high)
        return RowTokens(profile.rows, row, row.times(0.5), longest, longest // 2, False, f"{expected:g} bytes a token")
    asked, said = prompt.total / profile.rows, answer.total / profile.rows
    return RowTokens(
        rows=profile.rows,
        row=Range((asked + said) / low, (asked + said) / expected, (asked + said) / high),
        completion=Range(said / low, said / expected, said / high),
        longest=round((prompt.max + answer.max) / high),
        longest_completion=round(answer.max / high),
        is_measured=False,
        how=f"about {expected:g} characters a token ({low:g} to {high:g}), not tokenised yet",
    )


def _around(mean: float, doubt: float) -> Range:
    return Range(mean * (1 - doubt), mean, mean * (1 + doubt))


def _part_of(source: DataProfile, path: Path, rows: int) -> DataProfile:
    share = rows / source.rows
    tokens = source.tokens
    if tokens is not None:
        tokens = tokens.model_copy(
            update={"row": _share_of(tokens.row, share), "completion": _share_of(tokens.completion, share)}
        )
    spreads = {
        name: None if spread is None else _share_of(spread, share)
        for name, spread in (("prompt_chars", source.prompt_chars), ("answer_chars", source.answer_chars))
    }
    size_bytes = round(source.size_bytes * share)
    return source.model_copy(update={"path": path, "rows": rows, "size_bytes": size_bytes, "tokens": tokens, **spreads})


def _share_of(spread: Spread, share: float) -> Spread:
    return spread.model_copy(update={"total": round(spread.total * share)})
