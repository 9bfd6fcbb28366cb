"""Curves over a common axis as lines of text: braille in colour, a letter per curve where there is none. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tcao_tui.cli.render.text import Style
from tcao_tui.domain.axes import Axis, format_number, nice_axis
from tcao_tui.domain.braille import DOTS_HIGH, DOTS_WIDE, DotGrid

COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red", "white", "bright_black")
LETTERS = "abcdefgh"
SEVERAL = "*"
"""Stands where curves meet, when they are letters."""

_MARGIN = 8
"""Columns left of the picture, unless a label of the values needs more."""

_FEWEST_COLUMNS = 8
_BLANK = "⠀"

type Points = Sequence[tuple[float, float]]


def chart_lines(curves: Sequence[Points], *, width: int, height: int, style: Style | None) -> list[str]:
    """Draw curves.

    Args:
        curves: Points of each, `x` ascending; those that are not finite leave a gap.
        width: Columns in all.
        height: Lines of the picture, without the axis below it.
        style: Colours a text; None draws letters.

    Returns:
        The lines; empty when no curve has a finite point.
    """
    finite = [[(x, y) for x, y in curve if math.isfinite(x) and math.isfinite(y)] for curve in curves]
    points = [point for curve in finite for point in curve]
    if not points:
        return []
    across = nice_axis(min(0.0, *(x for x, _ in points)), max(x for x, _ in points), max(1, width // 16))
    up = nice_axis(min(y for _, y in points), max(y for _, y in points), max(1, min(5, height // 3)))
    labels = {round((1 - (up.place(tick) or 0.0)) * (height - 1)): up.label(tick) for tick in up.ticks}
    margin = max(_MARGIN, *(len(label) + 1 for label in labels.values()))
    columns = max(width - margin, _FEWEST_COLUMNS)
    grids = [_grid(curve, across, up, columns, height) for curve in finite]
    rows = [_row(grids, y, style) for y in range(height)]
    lines = [f"{labels.get(y, ''):>{margin - 1}}{'┤' if y in labels else '│'}{row}" for y, row in enumerate(rows)]
    return [line.rstrip() for line in (*lines, " " * margin + _below(across, columns))]


def _grid(curve: Points, across: Axis, up: Axis, columns: int, height: int) -> DotGrid:
    grid = DotGrid(columns, height)
    wide, high = columns * DOTS_WIDE - 1, height * DOTS_HIGH - 1
    before: tuple[int, int] | None = None
    for x, y in curve:
        dot = round((across.place(x) or 0.0) * wide), round((1 - (up.place(y) or 0.0)) * high)
        grid.line(*(before or dot), *dot)
        before = dot
    return grid


def _row(grids: Sequence[DotGrid], y: int, style: Style | None) -> str:
    cells: list[str] = []
    for x in range(grids[0].width):
        index = y * grids[0].width + x
        here = [number for number, grid in enumerate(grids) if grid.masks[index]]
        if not here:
            cells.append(" ")
        elif style is None:
            cells.append(LETTERS[here[0]] if len(here) == 1 else SEVERAL)
        else:
            cells.append(style(grids[here[-1]].character(index), COLOURS[here[-1] % len(COLOURS)]))
    return "".join(cells)


def _below(across: Axis, columns: int) -> str:
    line = [" "] * columns
    for tick in across.ticks:
        label = format_number(tick)
        at = min(round((across.place(tick) or 0.0) * (columns - 1)), columns - len(label))
        line[at : at + len(label)] = label
    return "".join(line)
