"""From curves to a picture of characters and ink numbers. Pure: no Textual, so it is tested without an event loop.

Each curve is cut into dot columns that keep minimum and maximum, so no spike is lost at any size; values that are not
finite show as `×` above their column. Where curves meet, the one named last is on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from tcao_tui.domain.axes import Axis, format_number, nice_axis
from tcao_tui.domain.braille import DOTS_HIGH, DOTS_WIDE, DotGrid
from tcao_tui.domain.series import Series
from tcao_tui.tui.widgets.curve_cut import CurveCut, cut_series, value_axis

LABEL_WIDTH = 8
CURVE_INKS = 8


class Ink(IntEnum):
    """What a cell is painted with; CURVE + n is the n-th curve."""

    TEXT = 0
    AXIS = 1
    TITLE = 2
    GHOST = 3
    MARK = 4
    CURSOR = 5
    ALERT = 6
    CURVE = 7


@dataclass(frozen=True, slots=True)
class Curve:
    """A series to draw.

    Attributes:
        ink: Which of the `CURVE_INKS` colours, from 0.
        smoothing: Weight of the past in an exponential average, 0 (none) to below 1; the raw curve stays as a ghost.
        tag: Character that stands at its end, so that many can be told apart without colour; then what it is and its
            value are told elsewhere than in the title.
    """

    name: str
    series: Series
    ink: int = 0
    smoothing: float = 0.0
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a step, such as a checkpoint.

    Attributes:
        is_border: It divides the steps: a line over the whole height, its symbol on top; others stand on the curve.
    """

    step: int
    symbol: str = "◆"
    ink: Ink = Ink.MARK
    is_border: bool = False


@dataclass(frozen=True, slots=True)
class PlotSpec:
    """What to draw.

    Attributes:
        last_step: Right end of the axis when it is known, so that the axis does not move while a run grows.
        window: First and last step to show; None shows all.
        cursor: Step whose values are read out; None for the last ones.
        step_size: What one step is on the axis below, for curves along something else than steps.
    """

    title: str
    curves: Sequence[Curve]
    marks: Sequence[Mark] = ()
    unit: str = ""
    log_y: bool = False
    last_step: int | None = None
    window: tuple[float, float] | None = None
    cursor: int | None = None
    note: str = ""
    step_size: float = 1.0


class Frame:
    """A picture: rows of characters with one ink number per character."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.rows = [[" "] * width for _ in range(height)]
        self.inks = [bytearray(width) for _ in range(height)]

    def write(self, x: int, y: int, text: str, ink: int) -> None:
        """Put `text` at a cell; what lies outside is cut."""
        if not 0 <= y < self.height:
            return
        for i, character in enumerate(text):
            if 0 <= x + i < self.width:
                self.rows[y][x + i] = character
                self.inks[y][x + i] = ink

    def changed_span(self, other: Frame | None, y: int) -> tuple[int, int] | None:
        """First and past-the-last column of row `y` that differ from `other`; None when none do."""
        if other is None or other.width != self.width or other.height != self.height:
            return 0, self.width
        rows, inks = self.rows[y], self.inks[y]
        old_rows, old_inks = other.rows[y], other.inks[y]
        if rows == old_rows and inks == old_inks:
            return None
        differing = [x for x in range(self.width) if rows[x] != old_rows[x] or inks[x] != old_inks[x]]
        return differing[0], differing[-1] + 1


def draw(spec: PlotSpec, width: int, height: int) -> Frame:
    """Draw a plot of `width` by `height` cells; too small an area stays empty."""
    frame = Frame(width, height)
    plot_width, plot_height = width - LABEL_WIDTH, height - 2
    if plot_width < 4 or plot_height < 1:
        return frame
    first, last = step_range(spec)
    _title(frame, spec)
    cuts = [cut_series(curve.series, curve.smoothing, first, last, plot_width * DOTS_WIDE) for curve in spec.curves]
    axis = value_axis(cuts, plot_height, spec.log_y)
    if axis is None:
        frame.write(LABEL_WIDTH + 1, 1 + plot_height // 2, "no data yet", Ink.AXIS)
    else:
        _value_labels(frame, axis, plot_height)
        for curve, cut in zip(spec.curves, cuts, strict=True):
            _curve(frame, curve, cut, axis)
        _tags(frame, spec, cuts, axis, plot_height)
        _marks(frame, spec, cuts, axis, plot_height)
    _step_axis(frame, spec, first, last, plot_width)
    return frame


def step_range(spec: PlotSpec) -> tuple[float, float]:
    """First and last step on the axis."""
    if spec.window is not None:
        return spec.window
    series = [c.series for c in spec.curves if len(c.series)]
    first = min((s.steps[0] for s in series), default=0)
    last = max((s.steps[-1] for s in series), default=1)
    if spec.last_step is not None:
        return min(first, 0), max(last, spec.last_step, 1)
    return min(first, 0), nice_axis(0, max(last, 1), 4).high


def _value_labels(frame: Frame, axis: Axis, plot_height: int) -> None:
    for y in range(plot_height):
        frame.write(LABEL_WIDTH - 1, 1 + y, "│", Ink.AXIS)
    for tick in axis.ticks:
        y = round((1 - (tick - axis.low) / (axis.high - axis.low)) * (plot_height - 1))
        frame.write(0, 1 + y, f"{axis.label(tick):>{LABEL_WIDTH - 1}}┤", Ink.AXIS)


def _curve(frame: Frame, curve: Curve, cut: CurveCut, axis: Axis) -> None:
    plot_width, plot_height = frame.width - LABEL_WIDTH, frame.height - 2
    ink = Ink.CURVE + curve.ink % CURVE_INKS
    raw = DotGrid(plot_width, plot_height)
    _trace(raw, [(c.low, c.high, c.last) if c and math.isfinite(c.low) else None for c in cut.columns], axis)
    _stamp(frame, raw, ink if cut.smooth is None else Ink.GHOST)
    if cut.smooth is not None:
        smooth = DotGrid(plot_width, plot_height)
        _trace(smooth, [None if v is None else (v, v, v) for v in cut.smooth], axis)
        _stamp(frame, smooth, ink)
    for x, column in enumerate(cut.columns):
        if column is not None and column.not_finite:
            frame.write(LABEL_WIDTH + x // DOTS_WIDE, 1, "×", Ink.ALERT)


def _trace(grid: DotGrid, columns: Sequence[tuple[float, float, float] | None], axis: Axis) -> None:
    top = grid.height * DOTS_HIGH - 1

    def row(value: float) -> int | None:
        place = axis.place(value)
        return None if place is None else round((1 - place) * top)

    before: tuple[int, int] | None = None
    for x, column in enumerate(columns):
        if column is None:
            continue
        low, high, last = (row(v) for v in column)
        if high is None or last is None:
            continue
        low = top if low is None else low
        if before is not None:
            grid.line(*before, x, min(max(before[1], high), low))
        grid.column(x, high, low)
        before = (x, last)


def _stamp(frame: Frame, grid: DotGrid, ink: int) -> None:
    for index, mask in enumerate(grid.masks):
        if mask:
            y, x = divmod(index, grid.width)
            frame.write(LABEL_WIDTH + x, 1 + y, grid.character(index), ink)


def _tags(frame: Frame, spec: PlotSpec, cuts: Sequence[CurveCut], axis: Axis, plot_height: int) -> None:
    for curve, cut in zip(spec.curves, cuts, strict=True):
        if curve.tag and (x := cut.end) is not None:
            row = 1 + round((1 - cut.place(x, axis)) * (plot_height - 1))
            frame.write(LABEL_WIDTH + x // DOTS_WIDE, row, curve.tag, Ink.CURVE + curve.ink % CURVE_INKS)


def _marks(frame: Frame, spec: PlotSpec, cuts: Sequence[CurveCut], axis: Axis, plot_height: int) -> None:
    first, last = step_range(spec)
    for mark in spec.marks:
        if not (cuts and first <= mark.step <= last):
            continue
        dots = len(cuts[0].columns)
        x = min(int((mark.step - first) / max(last - first, 1e-9) * dots), dots - 1)
        column = LABEL_WIDTH + x // DOTS_WIDE
        if mark.is_border:
            _upright(frame, column, plot_height + 1, "┊", mark.ink)
            frame.write(column, 1, mark.symbol, mark.ink)
        else:
            row = 1 + round((1 - cuts[0].place(x, axis)) * (plot_height - 1))
            frame.write(column, row, mark.symbol, mark.ink)


def _title(frame: Frame, spec: PlotSpec) -> None:
    frame.write(0, 0, spec.title, Ink.TITLE)
    x = len(spec.title) + 2
    told = [curve for curve in spec.curves if not curve.tag]
    for curve in told:
        value = curve.series.last if spec.cursor is None else curve.series.value_at(spec.cursor)
        text = f"━ {curve.name} {'–' if value is None else format_number(value)}"
        frame.write(x, 0, text, Ink.CURVE + curve.ink % CURVE_INKS)
        x += len(text) + 2
    if told and spec.cursor is not None:
        frame.write(x, 0, f"at step {spec.cursor}", Ink.CURSOR)
        x += len(f"at step {spec.cursor}") + 2
    tail = "  ".join(t for t in (spec.note, "log" if spec.log_y else "", spec.unit) if t)
    if x + len(tail) <= frame.width:
        frame.write(frame.width - len(tail), 0, tail, Ink.AXIS)


def _step_axis(frame: Frame, spec: PlotSpec, first: float, last: float, plot_width: int) -> None:
    y = frame.height - 1
    span = max(last - first, 1e-9)

    def cell(step: float) -> int:
        return LABEL_WIDTH + min(int((step - first) / span * plot_width), plot_width - 1)

    for tick in nice_axis(first, last, max(1, plot_width // 14)).ticks:
        if first <= tick <= last:
            label = format_number(tick * spec.step_size)
            frame.write(min(cell(tick), frame.width - len(label)), y, label, Ink.AXIS)
    if spec.cursor is not None and first <= spec.cursor <= last:
        _upright(frame, cell(spec.cursor), y, "│", Ink.CURSOR)


def _upright(frame: Frame, x: int, bottom: int, symbol: str, ink: Ink) -> None:
    """A line from the title down to above row `bottom`, behind what is there."""
    for row in range(1, bottom):
        if frame.rows[row][x] == " ":
            frame.write(x, row, symbol, ink)
