"""What a plan may cost, as values: low, expected and high in USD by kind of work; unknown is None, never 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tcao_tui.domain.wording import count_text

CostKind = Literal["range test", "training", "validation", "evals", "sampling", "storage"]


@dataclass(frozen=True, slots=True)
class CostRange:
    """USD; all three None when a price that is needed is unknown."""

    low_usd: float | None
    expected_usd: float | None
    high_usd: float | None


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
