"""A document as one HTML file that needs nothing else and runs nothing: its policy forbids scripts and fetching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tcao_tui.domain.charts import curve_svg, interval_svg
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
from tcao_tui.domain.plain_text import one_line, plain_text

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2129; --dim: #5f6672; --line: #d5d9e0; --page: #ffffff; --soft: #f4f5f7;
  --one: #0b62c4; --two: #b3520a; --three: #0d7a55; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ec; --dim: #9aa2b1; --line: #3a404c; --page: #15181e;
  --soft: #1e222a; --one: #6bb1ff; --two: #f5a35c; --three: #5fd0a5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 5rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .7rem; padding-top: .8rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p, ul { margin: .6rem 0; max-width: 48rem; }
.strong { font-size: 1.15rem; font-weight: 600; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--dim); font-weight: 500; }
.right { text-align: right; }
figure { margin: .8rem 0; }
figcaption { color: var(--dim); font-size: .875rem; }
pre { margin: .2rem 0 .9rem; padding: .7rem .9rem; background: var(--soft); border-radius: 4px; font-size: .8125rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .dim { fill: var(--dim); }
svg .axis { stroke: var(--line); }
svg .reference { stroke: var(--dim); stroke-dasharray: 3 3; }
svg .range { stroke: var(--ink); stroke-width: 1.5; }
svg .mark { fill: var(--page); stroke: var(--ink); stroke-width: 1.5; }
svg .chosen { fill: var(--ink); }
svg .curve { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
svg .curve0 { stroke: var(--one); } svg .curve1 { stroke: var(--two); stroke-dasharray: 6 3; }
svg .curve2 { stroke: var(--three); stroke-dasharray: 2 3; }
"""


def html(title: str, blocks: Sequence[DocumentBlock]) -> str:
    """The whole document, escaped."""
    head = [
        '<meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(title)}</title>",
        f"<style>{_STYLE}</style>",
    ]
    body = [line for block in blocks for line in _block(block)]
    return "\n".join(["<!doctype html>", '<html lang="en">', *head, "<body>", *body, "</body>", "</html>"]) + "\n"


def _text(text: str) -> str:
    return escape(one_line(text))


def _block(block: DocumentBlock) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f"<h{level}>{_text(text)}</h{level}>"
        case Paragraph(text, is_strong):
            yield f'<p class="strong">{_text(text)}</p>' if is_strong else f"<p>{_text(text)}</p>"
        case Bullets(items):
            yield f"<ul>{''.join(f'<li>{_text(item)}</li>' for item in items)}</ul>" if items else ""
        case Grid():
            yield from _grid(block)
        case Verbatim(label, text, width):
            yield f"<figcaption>{_text(label)}</figcaption><pre>{escape(plain_text(text, width))}</pre>"
        case IntervalChart():
            yield f"<figure>{interval_svg(block)}</figure>"
        case CurveChart():
            yield f"<figure>{curve_svg(block)}</figure>"


def _grid(grid: Grid) -> Iterator[str]:
    if not grid.rows:
        return
    yield '<div class="scroll"><table>'
    yield _row("th", grid.header, grid.right)
    yield from (_row("td", row, grid.right) for row in grid.rows)
    yield "</table></div>"


def _row(tag: str, cells: Sequence[str], right: frozenset[int]) -> str:
    kinds = [' class="right"' if index in right else "" for index in range(len(cells))]
    return f"<tr>{''.join(f'<{tag}{kind}>{_text(cell)}</{tag}>' for kind, cell in zip(kinds, cells, strict=True))}</tr>"
