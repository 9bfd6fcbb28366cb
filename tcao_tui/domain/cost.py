"""What a plan may cost, as values: low, expected and high in USD by kind of work; unknown is None, never 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tcao_tui.domain.wording import count_text

CostKind = Literal["range test", "training", "validation", "evals", "sampling", "storage"]

CACHED_SHARE = 0.2
"""What a prompt token that was sent before costs of a fresh one at most (Tinker's price list, 2026-11: 10 to 20 %)."""


@dataclass(frozen=True, slots=True)
class CostRange:
    """USD; all three None when a price that is needed is unknown."""

    low_usd: float | None
    expected_usd: float | None
    high_usd: float | None


UNKNOWN_COST = CostRange(None, None, None)
NO_COST = CostRange(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class CostLine:
    """One kind of work: `tokens` is the expected count, `how` says how it was found."""

    kind: CostKind
    tokens: int
    usd: CostRange
    how: str

    @property
    def amount(self) -> str:
        """`1.21M tokens`; empty for work that is not billed by tokens, such as storage."""
        return f"{count_text(self.tokens)} tokens" if self.tokens else ""


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """All of a plan.

    Attributes:
        lines: One per kind of work.
        total: Their sum; unknown as soon as one of them is.
        is_free: The backend costs nothing.
        price_source: Where the prices come from and of which day.
        not_counted: What the total leaves out.
    """

    lines: tuple[CostLine, ...]
    total: CostRange
    is_free: bool
    price_source: str
    not_counted: tuple[str, ...] = ()


def known_sum(amounts: Iterable[float | None]) -> float | None:
    """The sum; None as soon as one of them is unknown."""
    found = list(amounts)
    known = [amount for amount in found if amount is not None]
    return sum(known) if len(known) == len(found) else None


def total_cost(ranges: Iterable[CostRange]) -> CostRange:
    """The sum; unknown as soon as one of them is."""
    found = [NO_COST, *ranges]
    return CostRange(
        known_sum(one.low_usd for one in found),
        known_sum(one.expected_usd for one in found),
        known_sum(one.high_usd for one in found),
    )


def sampling_usd(
    prefill_usd: float | None, sample_usd: float | None, *, read: int, cached: int, written: int
) -> float | None:
    """USD of answers; None when a price that they need is unknown.

    Args:
        prefill_usd: Price of a million prompt tokens.
        sample_usd: Price of a million written tokens.
        read: Prompt tokens, those in the cache included.
        cached: Prompt tokens that were in the cache.
        written: Tokens of the answers.
    """
    if prefill_usd is None or sample_usd is None:
        return None if read or written else 0.0
    return ((read - (1 - CACHED_SHARE) * cached) * prefill_usd + written * sample_usd) / 1e6
