"""Text of several lines that stand below each other, behind a label or a sign."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import wrapped


def hanging_lines(head: Span, text: str, ink: str, width: int, *, most: int = 0) -> list[Line]:
    """`text` in lines of `width` cells, behind `head`, which is seen in front of the first; `most` as in `wrapped`."""
    room = cell_len(head[0])
    first, *rest = wrapped(text, width - room, most=most)
    return [(head, (first, ink)), *(((" " * room, "text"), (line, ink)) for line in rest)]


def sentence_lines(sentences: Sequence[str], width: int, *, warning: int | None = None) -> list[Line]:
    """Each sentence wrapped to `width` cells; `warning` is the index of the one that is a warning, if one is."""
    lines: list[Line] = []
    for index, sentence in enumerate(sentences):
        sign, ink = ("▲", "warn") if index == warning else ("·", "text")
        for number, line in enumerate(wrapped(sentence, width - 2)):
            lines.append(((f"{sign if number == 0 else ' '} ", ink), (line, ink)))
    return lines
