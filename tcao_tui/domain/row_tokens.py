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
        prompt, answer: Its parts; for problems the answer that it is checked against, which is not in the row.
        longest: Tokens of the longest row, `longest_answer` of the longest answer.
        is_measured: Counted with a tokenizer, not guessed.
        how: How they were found, for people.
    """

    rows: int
    row: Range
    prompt: Range
    answer: Range
    longest: int
    longest_answer: int
    is_measured: bool
    how: str

    def per_batch(self, batch_tokens: int) -> int:
        """Rows of a batch of so many tokens: at least one, and no more than there are."""
        return max(1, min(self.rows, round(batch_tokens / max(1.0, self.row.expected))))


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


def row_tokens(profile: DataProfile, model_name: str = "", *, like: DataProfile | None = None) -> RowTokens | None:
    """Tokens per row, counted where they were; None when the file has no rows or nothing is known of their length.

    Args:
        profile: The file.
        model_name: The model to train; tokens of another one's tokenizer count as less sure. Empty: any.
        like: A file whose rows were counted: where those of `profile` were not, theirs have as many characters a token.
    """
    if not profile.rows:
        return None
    if profile.tokens is not None:
        return _measured(profile, profile.tokens, model_name)
    return _guessed(profile, like)


def _measured(profile: DataProfile, tokens: TokenStats, model_name: str) -> RowTokens:
    is_other = bool(model_name) and tokens.model != model_name
    doubt = _OTHER_MODEL if is_other else _ALL if tokens.measured == "all" else _SAMPLE
    how = f"{tokens.rows_measured:,} rows tokenised" if tokens.measured == "sample" else "all rows tokenised"
    row = tokens.row.total / profile.rows
    sides = 2 if profile.kind == "preference" else 1
    answer, longest = _around(tokens.completion.total / profile.rows / sides, doubt), tokens.completion.max // sides
    if not tokens.completion.total and profile.answer_chars is not None:
        # The answer of a problem is no part of the row that the renderer writes.
        answer, longest = _guess(profile.answer_chars.total / profile.rows), _longest(profile.answer_chars)
        prompt = row
    else:
        prompt = max(0.0, row - answer.expected)
    return RowTokens(
        rows=profile.rows,
        row=_around(row, doubt),
        prompt=_around(prompt, max(doubt, 0.1)),
        answer=answer,
        longest=tokens.row.max,
        longest_answer=longest,
        is_measured=not is_other,
        how=f"{how} by another model's tokenizer" if is_other else how,
    )


def _guessed(profile: DataProfile, like: DataProfile | None) -> RowTokens | None:
    asked, said = profile.prompt_chars, profile.answer_chars
    if asked is None or said is None:
        return _by_size(profile)
    per_token = None if like is None else _characters_per_token(like)
    ratios = CHARACTERS_PER_TOKEN if per_token is None else (per_token * 1.15, per_token, per_token / 1.2)
    prompt, answer = _guess(asked.total / profile.rows, ratios), _guess(said.total / profile.rows, ratios)
    is_apart = profile.kind in ("problem", "prompt")
    longest_answer = round(said.max / ratios[2])
    how = f"about {ratios[1]:.2g} characters a token"
    return RowTokens(
        rows=profile.rows,
        row=prompt if is_apart else prompt.plus(answer),
        prompt=prompt,
        answer=answer,
        longest=round(asked.max / ratios[2]) + (0 if is_apart else longest_answer),
        longest_answer=longest_answer,
        is_measured=False,
        how=f"{how} ({ratios[0]:g} to {ratios[2]:g}), not tokenised yet"
        if per_token is None
        else f"{how}, as in training",
    )


def _by_size(profile: DataProfile) -> RowTokens | None:
    if profile.compression or not profile.size_bytes:
        return None
    low, expected, high = CHARACTERS_PER_TOKEN
    row = _guess(profile.size_bytes / profile.rows)
    half, longest = row.times(0.5), round(4 * row.high)
    how = f"about {expected:g} bytes a token ({low:g} to {high:g})"
    return RowTokens(profile.rows, row, half, half, longest, longest // 2, False, how)


def _characters_per_token(profile: DataProfile) -> float | None:
    """As counted in this file; None where nothing was counted."""
    if profile.tokens is None or not profile.tokens.row.total or profile.prompt_chars is None:
        return None
    is_apart = profile.answer_chars is None or profile.kind in ("problem", "prompt")
    characters = profile.prompt_chars.total + (
        0 if is_apart or not profile.answer_chars else profile.answer_chars.total
    )
    return characters / profile.tokens.row.total if characters else None


def _guess(characters: float, ratios: tuple[float, float, float] = CHARACTERS_PER_TOKEN) -> Range:
    low, expected, high = ratios
    return Range(characters / low, characters / expected, characters / high)


def _longest(characters: Spread) -> int:
    return round(characters.max / CHARACTERS_PER_TOKEN[2])


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
