"""A document as Markdown; charts are left out, since their numbers stand in tables too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcao_tui.domain.document import (
    Bullets,
    CurveChart,
    DocumentBlock,
    Grid,
    Heading,
    IntervalChart,
    Paragraph,
    Verbatim,
)
from tcao_tui.domain.markdown import bullets, fenced, inline, table


def markdown(blocks: Sequence[DocumentBlock]) -> str:
    """The whole document, escaped."""
    return "\n\n".join(text for block in blocks for text in _block(block) if text) + "\n"


def _block(block: DocumentBlock) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f"{'#' * level} {inline(text)}"
        case Paragraph(text, is_strong):
            yield f"**{inline(text)}**" if is_strong else inline(text)
        case Bullets(items):
            yield bullets(map(inline, items))
        case Grid(header, rows):
            yield table([inline(cell) for cell in header], [[inline(cell) for cell in row] for row in rows])
        case Verbatim(label, text, width):
            yield f"{inline(label)}:"
            yield fenced(text, width)
        case IntervalChart() | CurveChart():
            pass
