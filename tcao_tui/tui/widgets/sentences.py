"""What is said before something is done: sentences with a sign in front, which tells warnings apart without colour."""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.tui.widgets.line_view import Line
from tcao_tui.tui.widgets.text_block import wrapped


def sentence_lines(sentences: Sequence[str], width: int, *, warning: int | None = None) -> list[Line]:
    """Each sentence wrapped to `width` cells; `warning` is the index of the one that is a warning, if one is."""
    lines: list[Line] = []
    for index, sentence in enumerate(sentences):
        sign, ink = ("▲", "warn") if index == warning else ("·", "text")
        for number, line in enumerate(wrapped(sentence, width - 2)):
            lines.append(((f"{sign if number == 0 else ' '} ", ink), (line, ink)))
    return lines
