"""Foreign text cut into lines that fit, cell by cell for wide characters. No Textual."""

from __future__ import annotations

import textwrap

from rich.cells import cell_len, chop_cells, set_cell_size

from tcao_tui.domain.plain_text import one_line, plain_text

_TAB = "    "


def wrapped(text: str, width: int, *, most: int = 0) -> list[str]:
    """`text`, made safe, as lines of at most `width` cells; `most` limits their number, 0 does not.

    Returns:
        At least one line; the last one ends in an ellipsis when lines were left out.
    """
    width = max(width, 8)
    lines: list[str] = []
    for line in plain_text(text).replace("\t", _TAB).split("\n"):
        if cell_len(line) <= width:
            lines.append(line)
        elif cell_len(line) == len(line):
            lines += textwrap.wrap(line, width, drop_whitespace=True) or [""]
        else:
            lines += chop_cells(line, width)
        if most and len(lines) > most:
            lines = lines[:most]
            lines[-1] = fit(lines[-1] + "…", width).rstrip() if cell_len(lines[-1]) < width else lines[-1][:-1] + "…"
            break
    return lines


def fit(text: str, width: int) -> str:
    """`text` on one line in exactly `width` cells: cut with an ellipsis, or padded."""
    line = one_line(text)
    if cell_len(line) <= width:
        return set_cell_size(line, width)
    return set_cell_size(line, max(width - 1, 0)) + "…" if width else ""
