"""A comparison as a chart and lines: what is drawn, who is who, and what differs. Pure; foreign text is made safe."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from tcao_tui.domain.comparison import ABSENT, AXES, AXIS_WORDS, Axis, Comparison, Difference, Standing, Track
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.series import Series
from tcao_tui.domain.sweep import value_text
from tcao_tui.domain.wording import UNKNOWN, count_text, duration_text, money_text
from tcao_tui.tui.status import status_span
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.plot import Curve, PlotSpec
from tcao_tui.tui.widgets.text_block import fit, wrapped

TAGS = "abcdefgh"
"""Each run's letter: at the end of its curve, in the list and above its settings, so that colour is not needed."""

_INKS = ("info", "warn", "ok", "second", "accent", "bad", "text", "muted")
"""The ink of each run in lines: the colours that `LineChart` gives its curves."""

_STEP_SIZES: dict[Axis, float] = {"step": 1.0, "tokens": 1.0, "seconds": 1e-3, "cost": 1e-6}
"""What one whole-number step of a drawn series stands for: a series counts in whole numbers."""

_LEAST_CELL = 10
_LEAST_NAME = 22
_NOTHING = Standing(None, None, None, None)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a person chose for the chart.

    Attributes:
        cursor: Place on the axis below whose values are read out, in its unit; None for the last ones.
    """

    smoothing: float = 0.0
    log_y: bool = False
    cursor: float | None = None


def chart_spec(found: Comparison, reading: Reading) -> PlotSpec:
    """All runs on one chart, each with its letter at its end."""
    size = _STEP_SIZES[found.axis]
    curves = [
        Curve("", _series(track, size), ink=number, smoothing=reading.smoothing, tag=TAGS[number])
        for number, track in enumerate(found.tracks)
        if track.x
    ]
    return PlotSpec(
        title=one_line(f"{found.metric.word} by {AXIS_WORDS[found.axis]}", 60),
        curves=curves,
        log_y=reading.log_y,
        cursor=None if reading.cursor is None else round(reading.cursor / size),
        note=f"smoothing {reading.smoothing:g}" if reading.smoothing else "",
        step_size=size,
    )


def _series(track: Track, size: float) -> Series:
    series = Series()
    for x, y in zip(track.x, track.y, strict=True):
        series.append(round(x / size), y)
    return series


def moved_cursor(found: Comparison, cursor: float | None, by: int) -> float | None:
    """The place `by` values away on the curve that has the most; from the end when there is no cursor."""
    xs = max((track.x for track in found.tracks), key=len, default=())
    if not xs:
        return None
    index = len(xs) - 1 if cursor is None else bisect_right(xs, cursor) - 1
    return xs[min(max(index + by, 0), len(xs) - 1)]


def axis_line(found: Comparison) -> Line:
    """` 3 runs   along  step [tokens] seconds  cost`."""
    count = len(found.runs)
    spans: list[Span] = [(" compare", "info"), (f" {count} run{'' if count == 1 else 's'}  along ", "muted")]
    spans += [(f" {axis} ", "pick" if axis == found.axis else "muted") for axis in AXES]
    return tuple(spans)


def run_lines(found: Comparison, width: int, cursor: float | None) -> list[Line]:
    """One line per run: letter, name, state, the value at the cursor or the last one, its best, and what it used.

    Args:
        found: The comparison.
        width: Cells across; columns that do not fit are left out from the right.
        cursor: Place on the axis; None for the last values.
    """
    standings = found.standings.get(found.metric.key) or (_NOTHING,) * len(found.runs)
    top = _top(standings, found.metric.better)
    heads = (
        "last" if cursor is None else f"at {_place_text(found.axis, cursor)}",
        "best",
        "step",
        "cost",
        "time",
        "tokens",
    )
    rows = [_cells(found, number, standing, cursor) for number, standing in enumerate(standings)]
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    count = next((n for n in range(len(heads), 1, -1) if sum(widths[:n]) + 2 * n + _LEAST_NAME <= width), 1)
    longest = max(cell_len(one_line(run.label)) for run in found.runs)
    name_width = min(max(width - sum(widths[:count]) - 2 * count - 6, 8), longest)
    lines: list[Line] = [((f" {'run':<{name_width + 4}}{_joined(heads[:count], widths)}", "title"),)]
    for number, (run, row) in enumerate(zip(found.runs, rows, strict=True)):
        symbol, ink = status_span(run.view.status)
        head: tuple[Span, ...] = (
            (f" {TAGS[number]} ", _INKS[number]),
            (f"{symbol[0]} ", ink),
            (_name(run.label, name_width), "strong"),
        )
        if why := found.tracks[number].why_empty:
            lines.append((*head, (f"  {fit(why, width - name_width - 8)}", "muted")))
        else:
            told = _joined(row[:count], widths)
            lines.append((*head, (told, "ok" if top is not None and standings[number].best == top else "text")))
    return lines


def _name(label: str, width: int) -> str:
    """A label cut in the middle: the ends of ids and of names of a sweep's runs are what tells them apart."""
    line = one_line(label)
    is_cut = cell_len(line) > width and cell_len(line) == len(line)
    return f"{line[: width // 2 - 1]}…{line[len(line) + width // 2 - width :]}" if is_cut else fit(line, width)


def _cells(found: Comparison, number: int, standing: Standing, cursor: float | None) -> tuple[str, ...]:
    view, metric = found.runs[number].view, found.metric
    value = standing.last if cursor is None else _value_at(found.tracks[number], cursor)
    is_top = standing.best is not None and standing.best == _top(found.standings[metric.key], metric.better)
    best = UNKNOWN if standing.best is None else f"{'★ ' * is_top}{metric.text(standing.best)} @{standing.best_step}"
    steps = f"{view.step}/{view.total_steps}" if view.total_steps else f"{view.step}"
    used = (money_text(view.cost_usd), duration_text(view.elapsed_seconds), count_text(view.tokens))
    return (metric.text(value), best, steps, *used)


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=False))


def _top(standings: Sequence[Standing], better: str | None) -> float | None:
    """The best of all; None when all are alike or nobody says which way is better."""
    known = {standing.best for standing in standings if standing.best is not None}
    if len(known) < 2 or better is None:
        return None
    return max(known) if better == "higher" else min(known)


def _value_at(track: Track, place: float) -> float | None:
    """The value in force at a place: the last one that was taken there or before."""
    index = bisect_right(track.x, place) - 1
    return track.y[index] if index >= 0 else None


def _place_text(axis: Axis, place: float) -> str:
    match axis:
        case "step":
            return f"step {place:g}"
        case "tokens":
            return f"{count_text(place)} tokens"
        case "seconds":
            return duration_text(place)
        case "cost":
            return money_text(place)


def difference_lines(found: Comparison, width: int) -> list[Line]:
    """Settings that differ, one row each with a column per run, or run below run where columns are too narrow."""
    if not any(run.settings for run in found.runs):
        return [((" There are no plans to compare.", "muted"),), *_note_lines(found, width)]
    if not found.differences:
        return [((" The plans differ in their names only.", "muted"),), *_note_lines(found, width)]
    longest = max(len(one_line(d.path)) for d in found.differences)
    path_width = min(longest, max(width // 3, 16))
    widest = max(len(_text(value)) for difference in found.differences for value in difference.values)
    room = min((width - path_width - 2) // len(found.runs) - 2, max(widest, _LEAST_CELL))
    heads = "".join(f"  {tag:<{room}}" for tag in TAGS[: len(found.runs)])
    lines: list[Line] = [((f" {'what differs':<{path_width}}{heads if room >= _LEAST_CELL else ''}", "title"),)]
    for difference in found.differences:
        if room >= _LEAST_CELL:
            lines.append(_difference_row(difference, path_width, room))
        else:
            lines += _difference_block(difference, width)
    return [*lines, *_note_lines(found, width)]


def _difference_row(difference: Difference, path_width: int, room: int) -> Line:
    path = one_line(difference.path)
    shown = path if len(path) <= path_width else f"…{path[1 - path_width :]}"
    values = [(f"  {fit(_text(v), room)}", "muted" if v == ABSENT else "text") for v in difference.values]
    return ((f" {shown:<{path_width}}", "muted"), *values)


def _difference_block(difference: Difference, width: int) -> list[Line]:
    """The path, then each value once, before it the letters of the runs that have it."""
    lines: list[Line] = [((f" {fit(difference.path, width - 2)}", "muted"),)]
    count = len(difference.values)
    for value in dict.fromkeys(map(_text, difference.values)):
        having = [number for number in range(count) if _text(difference.values[number]) == value]
        letters = [(TAGS[number], _INKS[number]) for number in having]
        told = fit(value, max(width - count - 7, 8)).rstrip()
        lines.append((("   ", "text"), *letters, (" " * (count - len(having) + 2), "text"), (told, "text")))
    return lines


def _text(value: object) -> str:
    return UNKNOWN if value == ABSENT else one_line(value_text(value))


def _note_lines(found: Comparison, width: int) -> list[Line]:
    told = [line for note in found.notes for line in wrapped(f"▪ {note}", width - 2)]
    return [(), *(((f" {line}", "warn"),) for line in told)] if told else []
