"""Sweeps as lines: one for each sweep, a table of the cells of one, and what it says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tcao_tui.domain.run_view import RunStatus
from tcao_tui.domain.sweep import short_key, value_text, words
from tcao_tui.domain.sweep_table import PROBLEM, SCORE, CellRow, FollowedSweep, SweepTable
from tcao_tui.domain.wording import count_text, money_text, number_text, share_text
from tcao_tui.tui.status import status_span
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit, wrapped

_STATE_WIDTH = 13
_LEAST_KEY, _MOST_KEY = 6, 18
_NAME_SHARE = 0.35

FIRST_USE: tuple[Line, ...] = (
    (("  No sweeps yet.", "strong"),),
    (),
    (("  A sweep runs one plan with some of its values varied, and says which is best:", "text"),),
    (("  tcao sweep PLAN --set training.learning_rate=1e-4,3e-4 --set training.lora_rank=8,32", "muted"),),
    (("  tcao sweep PLAN --range-test      short runs that find a learning rate", "muted"),),
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table; those with a low `rank` stay the longest when there is no room."""

    title: str
    width: int
    rank: int
    cell: Callable[[CellRow, int], Span]
    is_number: bool = True


def sweep_lines(sweeps: Sequence[FollowedSweep], chosen: str, width: int) -> list[Line]:
    """One line for each sweep: how far it is, and the best of it; the chosen one is pointed at."""
    name_width = min(max((len(sweep.name) for sweep in sweeps), default=0), max(int(width * _NAME_SHARE), 8))
    return [
        (("▸" if sweep.name == chosen else " ", "accent"), *_sweep_line(sweep, name_width, width)) for sweep in sweeps
    ]


def _sweep_line(sweep: FollowedSweep, name_width: int, width: int) -> Line:
    name: Span = (f"{fit(sweep.name, name_width)}  ", "strong")
    found = sweep.table
    if found is None:
        return (("✗ ", "bad"), name, (fit(sweep.problem, max(width - name_width - 5, 8)).rstrip(), "bad"))
    over = sum(row.is_over for row in found.rows)
    sign: Span = ("✓ ", "ok") if found.is_over else ("● ", "info") if found.is_driven else ("○ ", "warn")
    count = f"{over}/{len(found.rows)} over".ljust(12)
    room = max(width - name_width - 5 - len(count), 0)
    return (sign, name, (count, "muted"), (fit(best_text(found), room).rstrip(), "text"))


def best_text(found: SweepTable) -> str:
    """`score 98.0% · cell 4: learning_rate 0.002`; says so when there is none or several."""
    match found.best:
        case ():
            return found.verdict if found.is_over else f"no {found.measure.word} yet"
        case (best,):
            value = found.measure.text(best.value)
            return f"{found.measure.word} {value} · cell {best.index}: {words(best.overrides, found.keys)}"
        case tied:
            return f"{found.measure.word} {found.measure.text(tied[0].value)} · {len(tied)} cells tie"


def state_line(found: SweepTable, width: int) -> Line:
    """Name, what cells are judged by, how far they are, what they used, and whether more are launched."""
    over = sum(row.is_over for row in found.rows)
    better = f", {found.measure.better} is better" if found.measure.better else ""
    at_work = "" if found.is_over else "a sweeper is at work" if found.is_driven else "no sweeper is at work"
    parts = [
        f"by {found.measure.word}{better}",
        f"{over} of {len(found.rows)} cells over",
        at_work,
        f"{count_text(sum(row.tokens for row in found.rows))} tokens",
        money_text(found.cost_usd),
    ]
    name = fit(found.name, min(len(found.name), width // 2))
    text = " · ".join(part for part in parts if part)
    return ((f" {name}  ", "strong"), (fit(text, max(width - len(name) - 3, 8)).rstrip(), "muted"))


def header_line(found: SweepTable, width: int) -> Line:
    """Titles of the columns."""
    return ((" " * 3, "title"), *((f"{_aligned(c.title, c)}  ", "title") for c in _columns(found, width)))


def cell_lines(found: SweepTable, width: int) -> list[Line]:
    """One line for each cell; the best ones have a star."""
    columns = _columns(found, width)
    return [_cell_line(row, columns) for row in found.rows]


def _cell_line(row: CellRow, columns: Sequence[_Column]) -> Line:
    spans: list[Span] = [(" ★ ", "accent") if row.is_best else ("   ", "text")]
    for column in columns:
        text, ink = column.cell(row, column.width)
        spans.append((f"{_aligned(text, column)}  ", "strong" if row.is_best and ink == "text" else ink))
    return tuple(spans)


def verdict_lines(found: SweepTable, row: CellRow | None, width: int) -> list[Line]:
    """Which cell is best and how sure that is, and why the cell under the cursor did not start."""
    lines: list[Line] = [((f" {text}", "accent"),) for text in wrapped(found.verdict, width - 2, most=4)]
    if row is not None and row.problem:
        lines += [((f" {text}", "bad"),) for text in wrapped(f"cell {row.index}: {row.problem}", width - 2, most=3)]
    return lines


def _aligned(text: str, column: _Column) -> str:
    cut = fit(text, column.width)
    return cut.rstrip().rjust(column.width) if column.is_number else cut


def _columns(found: SweepTable, width: int) -> list[_Column]:
    """Those that fit, in their order; settings share what the others leave."""
    columns = [
        _Column("cell", 4, 0, lambda row, _w: (str(row.index), "muted")),
        *_setting_columns(found),
        _Column("state", _STATE_WIDTH, 2, _state, is_number=False),
        _Column("steps", 9, 4, lambda row, _w: (f"{row.step}/{row.total_steps}", "text")),
        _Column(found.measure.word, max(len(found.measure.word), 9), 1, _measure(found)),
        *_others(found),
        _Column("cost", 8, 6, lambda row, _w: (money_text(row.cost_usd) if row.run_id else "-", "muted")),
        _Column("run", max((len(row.name) for row in found.rows), default=3), 8, _run, is_number=False),
    ]
    while len(columns) > 2 and sum(c.width + 2 for c in columns) + 3 > width:
        columns.remove(max(columns, key=lambda c: c.rank))
    return columns


def _setting_columns(found: SweepTable) -> list[_Column]:
    def values(key: str) -> Callable[[CellRow, int], Span]:
        return lambda row, _w: (value_text(dict(row.overrides)[key]) if key in dict(row.overrides) else "-", "text")

    def width(key: str) -> int:
        longest = max((len(values(key)(row, 0)[0]) for row in found.rows), default=0)
        return min(max(len(short_key(key)), longest, _LEAST_KEY), _MOST_KEY)

    return [_Column(short_key(key), width(key), 3, values(key)) for key in found.keys]


def _others(found: SweepTable) -> list[_Column]:
    """Losses and score, where the sweep is not judged by them and a cell has one."""
    known: list[tuple[str, str, Callable[[CellRow], float | None], Callable[[float | None], str]]] = [
        ("val_mean_nll", "val", lambda row: row.val_loss, number_text),
        (SCORE.key, SCORE.word, lambda row: row.score, share_text),
        ("train_mean_nll", "loss", lambda row: row.train_loss, number_text),
    ]
    return [
        _Column(title, 9, 5 if key != "train_mean_nll" else 7, _number(value, text))
        for key, title, value, text in known
        if key != found.measure.key and any(value(row) is not None for row in found.rows)
    ]


def _number(
    value: Callable[[CellRow], float | None], text: Callable[[float | None], str]
) -> Callable[[CellRow, int], Span]:
    return lambda row, _width: (text(value(row)), "text")


def _measure(found: SweepTable) -> Callable[[CellRow, int], Span]:
    return lambda row, _width: (found.measure.text(row.value), "text")


def _run(row: CellRow, _width: int) -> Span:
    return (row.name if row.run_id else "-", "muted")


def _state(row: CellRow, width: int) -> Span:
    if row.run_id and row.status in set(RunStatus):
        return status_span(RunStatus(row.status), width)
    return ("✗ not started", "bad") if row.status == PROBLEM else (f"○ {row.status}", "muted")
