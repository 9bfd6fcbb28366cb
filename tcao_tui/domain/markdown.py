"""Markdown of foreign text: shown as it is, and nothing of it acts as a heading, a link, an image or HTML.

Text is escaped by the rules of CommonMark and GitHub's tables; control characters are taken out by `domain.plain_text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tcao_tui.domain.plain_text import one_line, plain_text

_ACTIVE = re.compile(
    r"[\\`*\[\]|]"  # escapes, code, emphasis, links, cells
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis; inside a word it is only a letter
    r"|<(?=[A-Za-z/!?])"  # HTML and automatic links
    r"|~(?=~)|(?<=~)~"
    r"|&(?=[#\w]+;)"
)
_BEGINS_BLOCK = re.compile(r"^(?:>|#{1,6}(?=\s|$)|[-+](?=\s|$)|[-=~]{2,}|=$|\d{1,9}(?=[.)](?:\s|$)))")
_BACKTICKS = re.compile(r"`+")


def inline(text: str, width: int = 0) -> str:
    """Text on one line, for paragraphs, list items and cells; cut at `width` characters, 0 for no limit."""
    escaped = _ACTIVE.sub(r"\\\g<0>", one_line(text, width))
    begin = _BEGINS_BLOCK.match(escaped)
    if begin is None:
        return escaped
    at = begin.end() if begin[0].isdigit() else 0
    return f"{escaped[:at]}\\{escaped[at:]}"


def fenced(text: str, width: int = 0) -> str:
    """Text as a block of its own, lines kept; its fence is longer than any in the text."""
    clean = plain_text(text, width)
    longest = max((len(run) for run in _BACKTICKS.findall(clean)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{clean}\n{fence}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of ready cells, see `inline`; "" without rows."""
    lines = [_line(cells) for cells in rows]
    return "\n".join([_line(header), _line(["---"] * len(header)), *lines]) if lines else ""


def bullets(items: Iterable[str]) -> str:
    """A list of ready items."""
    return "\n".join(f"- {item}" for item in items)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
