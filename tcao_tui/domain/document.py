"""A document as its content: blocks of plain text that a renderer escapes and lays out.

Texts may be foreign and hostile; `document_markdown` and `document_html` make them safe, so no block holds markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `is_strong` for what nobody should miss."""

    text: str
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; cells of the columns in `right` hold numbers. Without a row it is not shown."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text whose lines are kept, such as an answer; cut at `width` characters."""

    label: str
    text: str
    width: int = 1_500


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval in a chart; `low` and `high` are None where there is no interval."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """Values with their intervals, one below the other; `reference` is drawn as a line through all of them."""

    title: str
    marks: Sequence[Mark]
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart: points of (x, y), x rising."""

    label: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class CurveChart:
    """Lines over a common axis."""

    title: str
    x_label: str
    curves: Sequence[Curve]


type Chart = IntervalChart | CurveChart

type DocumentBlock = Heading | Paragraph | Bullets | Grid | Verbatim | Chart
"""Charts are drawn where a format can hold them, and left out elsewhere: their numbers stand in tables too."""
