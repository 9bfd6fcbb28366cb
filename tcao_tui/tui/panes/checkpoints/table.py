"""The table of checkpoints as lines: columns that fit the width, checkpoints and the headings of a tree. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tcao_tui.domain.checkpoint_listing import LayerScore, ListedCheckpoint, total_storage
from tcao_tui.domain.checkpoint_table import SortKey
from tcao_tui.domain.expiring import WEEK_SECONDS
from tcao_tui.domain.wording import UNKNOWN, age_text, bytes_text, duration_text, number_text, share_text
from tcao_tui.tui.panes.checkpoints.arrange import Arrangement, Group, Row
from tcao_tui.tui.status import status_span
from tcao_tui.tui.widgets.line_view import LazyLines, Line, Span
from tcao_tui.tui.widgets.text_block import fit

PINNED, EXPIRING, FINAL, SUPERSEDED = "◆", "▲", "★", "↶"
_CENT = 0.01
_SOON_SECONDS = 2 * 24 * 3600
_GUTTER = 4
_LEAST_FLEXIBLE = 16


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        width: Cells; 0 shares what is left with others of that kind.
        rank: Those with a low one stay the longest when there is no room.
        cell: Its text for a checkpoint at Unix time `now` and `width` cells.
        sorts: Sort key whose arrow stands at its title.
    """

    title: str
    width: int
    rank: int
    cell: Callable[[ListedCheckpoint, float, int], Span]
    is_number: bool = True
    sorts: SortKey | None = None


def expiry_text(checkpoint: ListedCheckpoint, now: float) -> str:
    """Time that is left, `kept` for good, or a dash for what nobody knows."""
    at = checkpoint.server.expires_at
    if at is not None:
        return duration_text(at - now) if at > now else "expired"
    return "kept" if checkpoint.note.pinned else UNKNOWN


def expires_soon(checkpoint: ListedCheckpoint, now: float) -> bool:
    """Whether the server deletes it within two days, or within a week what a run would go on from."""
    at = checkpoint.server.expires_at
    within_seconds = WEEK_SECONDS if checkpoint.is_resume_point else _SOON_SECONDS
    return at is not None and now < at < now + within_seconds


def score_text(score: LayerScore | None) -> str:
    """A loss as a number, a share of right answers as percent."""
    if score is None:
        return UNKNOWN
    return number_text(score.value) if score.layer == 1 or not 0 <= score.value <= 1 else share_text(score.value)


def month_text(usd: float | None) -> str:
    """Storage cost per month in dollars and cents; sums below a cent are told as such."""
    if usd is None:
        return UNKNOWN
    return "$0" if usd == 0 else "<$0.01" if usd < _CENT else f"${usd:,.2f}"


def name_text(checkpoint: ListedCheckpoint) -> str:
    """Its label, where a person gave one, else its name on the server."""
    return checkpoint.note.label or checkpoint.server.name


def run_text(checkpoint: ListedCheckpoint) -> str:
    """Name of our run, else the server's training run."""
    return checkpoint.own.run_name if checkpoint.own else checkpoint.server.training_run


def _age(checkpoint: ListedCheckpoint, now: float, _width: int) -> Span:
    at = checkpoint.server.created_at
    return (UNKNOWN if at is None else age_text(now - at), "muted")


def _score(layer: Literal[1, 2, 3]) -> Callable[[ListedCheckpoint, float, int], Span]:
    return lambda c, _now, _width: (score_text(c.score(layer)), "text")


def _known(value: object) -> str:
    return UNKNOWN if value is None else str(value)


COLUMNS: tuple[Column, ...] = (
    Column("run", 0, 3, lambda c, _n, w: (fit(run_text(c), w), "text" if c.own else "muted"), False, "run"),
    Column("name", 0, 0, lambda c, _n, w: (fit(name_text(c), w), _name_ink(c)), False),
    Column("step", 6, 1, lambda c, _n, _w: (_known(c.own.step if c.own else None), "text"), sorts="step"),
    Column("kind", 8, 2, lambda c, _n, w: (fit(c.server.kind, w), "muted"), False),
    Column("base model", 20, 11, lambda c, _n, w: (fit(c.base_model or UNKNOWN, w), "muted"), False),
    Column("rank", 4, 10, lambda c, _n, _w: (_known(c.lora_rank), "muted")),
    Column("size", 8, 5, lambda c, _n, _w: (bytes_text(c.server.size_bytes), "text"), sorts="size"),
    Column("age", 6, 4, _age, sorts="age"),
    Column(
        "expires",
        7,
        4,
        lambda c, n, _w: (expiry_text(c, n), "warn" if expires_soon(c, n) else "muted"),
        sorts="expires",
    ),
    Column("public", 6, 9, lambda c, _n, w: _public(c, w), False),
    Column("layer 1", 7, 7, _score(1)),
    Column("layer 2", 7, 8, _score(2)),
    Column("layer 3", 7, 6, _score(3), sorts="score"),
    Column("$/month", 7, 7, lambda c, _n, _w: (month_text(c.storage_usd_per_month), "muted"), sorts="cost"),
)


def _name_ink(checkpoint: ListedCheckpoint) -> str:
    return "muted" if checkpoint.own is not None and checkpoint.own.superseded else "strong"


def _public(checkpoint: ListedCheckpoint, width: int) -> Span:
    match checkpoint.server.public:
        case True:
            return (fit("public", width), "info")
        case False:
            return (fit("no", width), "muted")
        case None:
            return (fit(UNKNOWN, width), "muted")


def columns_for(width: int, *, is_tree: bool) -> list[tuple[Column, int]]:
    """The columns that fit into so many cells, with their widths; a tree says the run in its headings."""
    shown = [c for c in COLUMNS if not (is_tree and c.title == "run")]

    def least(columns: Sequence[Column]) -> int:
        return _GUTTER + sum((c.width or _LEAST_FLEXIBLE) + 2 for c in columns)

    while len(shown) > 2 and least(shown) > width:
        shown.remove(max(shown, key=lambda c: c.rank))
    flexible = [c for c in shown if not c.width]
    room = max(width - _GUTTER - sum(c.width for c in shown) - 2 * len(shown), _LEAST_FLEXIBLE)
    share, rest = divmod(room, len(flexible))
    widths = {c.title: share + (rest if c is flexible[0] else 0) for c in flexible}
    return [(c, c.width or widths[c.title]) for c in shown]


def header_line(width: int, arrangement: Arrangement) -> Line:
    """Titles, with an arrow at the one sorted by."""
    spans: list[Span] = [(" " * _GUTTER, "title")]
    for column, room in columns_for(width, is_tree=arrangement.is_tree):
        arrow = ("▲" if arrangement.reverse else "▼") if column.sorts == arrangement.sorted_by else ""
        title = column.title + arrow
        spans.append((f"{title.rjust(room) if column.is_number else title.ljust(room)}  ", "title"))
    return tuple(spans)


def checkpoint_line(
    checkpoint: ListedCheckpoint, columns: Sequence[tuple[Column, int]], now: float, *, is_marked: bool
) -> Line:
    """One checkpoint: a mark, a sign of what is particular about it, and its cells."""
    spans: list[Span] = [("▸ " if is_marked else "  ", "accent"), _sign(checkpoint, now)]
    for column, room in columns:
        text, ink = column.cell(checkpoint, now, room)
        spans.append((f"{text.rjust(room) if column.is_number else text}  ", ink))
    return tuple(spans)


def _sign(checkpoint: ListedCheckpoint, now: float) -> Span:
    if expires_soon(checkpoint, now):
        return (f"{EXPIRING} ", "warn")
    if checkpoint.note.pinned:
        return (f"{PINNED} ", "info")
    if checkpoint.own is not None and checkpoint.own.superseded:
        return (f"{SUPERSEDED} ", "muted")
    return (
        (f"{FINAL} ", "accent") if checkpoint.own is not None and checkpoint.own.reason == "final" else ("  ", "text")
    )


def group_line(group: Group, width: int, *, marked: int) -> Line:
    """Heading of a group: whose checkpoints they are, how many, and what they take."""
    first = group.members[0]
    size, usd, _unknown = total_storage(group.members)
    count = f"{len(group.members)} checkpoint{'' if len(group.members) == 1 else 's'}"
    cost = f"{month_text(usd)} a month" if usd else ""
    run_id = first.own.run_id if first.own else ""
    parts = [count, bytes_text(size) if size else "", cost, first.base_model or "", run_id]
    fold: Span = ("▾ " if group.is_open else "▸ ", "info")
    if first.own is None:
        told: Span = ("not of a run here  ", "muted")
    else:
        text, ink = status_span(first.own.status)
        told = (f"{text.rstrip()}  ", ink)
    mark: Span = (f"{marked} marked  ", "accent") if marked else ("", "text")
    name = fit(run_text(first), max(width - len(told[0]) - len(mark[0]) - 24, 8)).rstrip()
    room = max(width - len(name) - len(told[0]) - len(mark[0]) - 5, 0)
    rest = fit(" · ".join(part for part in parts if part), room).rstrip()
    return (fold, (f"{name}  ", "strong"), told, mark, (rest, "muted"))


def row_lines(rows: Sequence[Row], width: int, now: float, marked: frozenset[str], *, is_tree: bool) -> Sequence[Line]:
    """Rows as lines.

    Args:
        rows: As arranged.
        width: Cells.
        now: Unix time, for ages.
        marked: Paths of the marked checkpoints.
        is_tree: Whether the rows have headings.
    """
    columns = columns_for(width, is_tree=is_tree)

    def line(row: Row) -> Line:
        if isinstance(row, Group):
            return group_line(row, width, marked=sum(c.path in marked for c in row.members))
        return checkpoint_line(row, columns, now, is_marked=row.path in marked)

    return LazyLines(rows, line)
