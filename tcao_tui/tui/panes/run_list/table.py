"""The run list as lines: columns that fit the width, sort orders and the filter. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tcao_tui.domain.headlines import Told, told_by, told_order
from tcao_tui.domain.run_view import RunStatus, RunSummary
from tcao_tui.domain.wording import UNKNOWN, age_text, money_text
from tcao_tui.tui.status import status_span
from tcao_tui.tui.widgets.line_view import LazyLines, Line, Span
from tcao_tui.tui.widgets.text_block import fit


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list.

    Attributes:
        width: Cells; 0 takes what is left.
        least: Narrowest list, in cells, that shows it.
        spans: The cell's text for a row, at Unix time `now` and `width` cells.
        order: Value to sort by.
    """

    title: str
    width: int
    least: int
    is_number: bool
    spans: Callable[[RunSummary, float, int], tuple[Span, ...]]
    order: Callable[[RunSummary], Any]


def _text(value: str, ink: str = "text") -> tuple[Span, ...]:
    return ((value, ink),)


def _told(told: Told | None, width: int) -> tuple[Span, ...]:
    """`reward 0.81`; the word is cut first."""
    if told is None:
        return _text(UNKNOWN)
    value = told.headline.text(told.value)
    return (f"{told.headline.short[: width - len(value) - 1]} ", "muted"), (value, "text")


def _cost(usd: float | None) -> str:
    return "unknown" if usd is None else "$0.00" if usd == 0 else money_text(usd)


def _bar(row: RunSummary, _now: float, width: int) -> tuple[Span, ...]:
    steps = f"{row.step}/{row.total_steps}" if row.total_steps else f"{row.step}"
    cells = 4
    filled = round(cells * min(row.step / row.total_steps, 1.0)) if row.total_steps else 0
    ink = "ok" if row.status is RunStatus.COMPLETED else "info" if row.status.is_live else "muted"
    return (("━" * filled, ink), ("─" * (cells - filled), "rule"), (steps.rjust(width - cells), "text"))


COLUMNS: tuple[Column, ...] = (
    Column("state", 13, 0, False, lambda r, _n, w: (status_span(r.status, w),), lambda r: r.status.value),
    Column("name", 0, 0, False, lambda r, _n, w: _text(fit(r.name, w), "strong"), lambda r: r.name.lower()),
    Column("method", 7, 134, False, lambda r, _n, w: _text(fit(r.method, w), "muted"), lambda r: r.method),
    Column("model", 20, 118, False, lambda r, _n, w: _text(fit(r.base_model, w), "muted"), lambda r: r.base_model),
    Column("steps", 14, 0, True, _bar, lambda r: r.step),
    Column("training", 14, 68, True, lambda r, _n, w: _told(told_by(r)[0], w), lambda r: told_order(told_by(r)[0])),
    Column("held-out", 14, 100, True, lambda r, _n, w: _told(told_by(r)[1], w), lambda r: told_order(told_by(r)[1])),
    Column(
        "cost",
        8,
        78,
        True,
        lambda r, _n, _w: _text(_cost(r.cost_usd), "muted"),
        lambda r: -1.0 if r.cost_usd is None else r.cost_usd,
    ),
    Column("age", 6, 0, True, lambda r, n, _w: _text(age_text(n - r.created_at), "muted"), lambda r: -r.created_at),
)

AGE = len(COLUMNS) - 1


def columns_for(width: int) -> list[tuple[Column, int]]:
    """The columns that fit, with their widths; the name takes what is left."""
    shown = [c for c in COLUMNS if width >= c.least]
    fixed = sum(c.width for c in shown) + 2 * len(shown)
    return [(c, c.width or max(width - fixed, 10)) for c in shown]


def counts_line(runs: Sequence[RunSummary], matching: int, wanted: str, marked: int) -> Line:
    """How many runs there are, live, marked, and matching what is wanted."""
    live = sum(r.status.is_live for r in runs)
    text = f" {len(runs):,} run{'' if len(runs) == 1 else 's'}" + (f", {live} live" if live else "")
    spans: list[Span] = [(" tcao", "info"), (text, "muted")]
    spans += [(f"   ▸ {marked} marked, v compares them", "accent")] if marked else []
    spans += [(f"   {matching:,} match “{wanted}”", "accent")] if wanted else []
    return tuple(spans)


def header_line(width: int, sorted_by: int, reverse: bool) -> Line:
    """Titles, with an arrow at the one sorted by."""
    spans: list[Span] = []
    for column, room in columns_for(width):
        arrow = ("▲" if reverse else "▼") if column is COLUMNS[sorted_by] else ""
        title = column.title + arrow
        spans.append((f" {title.rjust(room) if column.is_number else title.ljust(room)} ", "title"))
    return tuple(spans)


def row_line(row: RunSummary, width: int, now: float, *, is_marked: bool = False) -> Line:
    """One run."""
    spans: list[Span] = []
    for column, room in columns_for(width):
        cell = column.spans(row, now, room)
        gap = " " * max(room - sum(len(text) for text, _ in cell), 0) if column.is_number else ""
        spans += [(f" {gap}", "text"), *cell, (" ", "text")]
    if is_marked:
        spans[0] = ("▸", "accent")
    return tuple(spans)


def arranged(rows: Iterable[RunSummary], *, wanted: str, sorted_by: int, reverse: bool) -> list[RunSummary]:
    """The rows that match every word of `wanted`, in order; rows that tie keep the order they come in, newest first."""
    words = wanted.lower().split()
    kept = [r for r in rows if all(word in _searched(r) for word in words)]
    kept.sort(key=COLUMNS[sorted_by].order, reverse=reverse)
    return kept


def _searched(row: RunSummary) -> str:
    return f"{row.name} {row.base_model} {row.status.value} {row.method} {row.backend} {row.run_id}".lower()


def row_lines(rows: Sequence[RunSummary], width: int, now: float, marked: frozenset[str]) -> Sequence[Line]:
    """The runs as lines; `marked` are ids."""
    return LazyLines(rows, lambda row: row_line(row, width, now, is_marked=row.run_id in marked))
