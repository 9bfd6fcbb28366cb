"""Samples as lines: titles, one line each, and what is seen of the one under the cursor. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import count_text
from tcao_tui.tui.panes.evals.names import Scale
from tcao_tui.tui.panes.evals.samples import Arrangement, Only, Order, Sample
from tcao_tui.tui.widgets.line_view import LazyLines, Line, Span
from tcao_tui.tui.widgets.sentences import hanging_lines
from tcao_tui.tui.widgets.text_block import fit

_LEAST_ITEM, _MOST_ITEM = 8, 28
_VALUE, _AGAINST, _TOKENS, _FLAGS = 8, 6, 7, 14
_AGAINST_SIGNS: Mapping[str, Span] = {
    "won": ("+ won ", "ok"),
    "lost": ("- lost", "bad"),
    "same": ("= same", "muted"),
    "": ("      ", "text"),
}


def title_line(name: str, shown: int, counts: Mapping[Only, int], arrangement: Arrangement, width: int) -> Line:
    """Whose samples these are, how many are shown, and how they are arranged."""
    parts = [f"{shown:,} of {counts[Only.ALL]:,} samples"]
    parts += [f"only {arrangement.only}"] if arrangement.only is not Only.ALL else []
    parts += [f"with “{one_line(arrangement.wanted)}”"] if arrangement.wanted else []
    parts += [f"by {arrangement.order}"] if arrangement.order is not Order.ITEM else []
    head = fit(name, min(len(name), max(width // 2, 10))).rstrip()
    return ((f" {head}  ", "strong"), (fit(" · ".join(parts), max(width - len(head) - 4, 8)).rstrip(), "muted"))


def counts_line(counts: Mapping[Only, int], chosen: Only, width: int) -> Line:
    """How many each filter shows; the one that is on stands in brackets."""
    spans: list[Span] = [(" ", "text")]
    for only, count in counts.items():
        told = f"[{only} {count:,}]" if only is chosen else f" {only} {count:,} "
        if (width := width - len(told) - 1) < 0:
            break
        spans.append((f"{told} ", "accent" if only is chosen else "muted"))
    return tuple(spans)


def header_line(samples: Sequence[Sample], width: int) -> Line:
    """Titles of the columns."""
    item = _item_width(samples, width)
    titles = f"  {'item':<{item}} {'value':>{_VALUE}}  {'base':<{_AGAINST}} {'tokens':>{_TOKENS}}  {'':<{_FLAGS}}"
    return (((titles + "begins")[:width], "title"),)


def _item_width(samples: Sequence[Sample], width: int) -> int:
    longest = max((len(sample.item.item) for sample in samples), default=0)
    return max(min(longest, _MOST_ITEM, width // 4), _LEAST_ITEM)


def sample_lines(samples: Sequence[Sample], scale: Scale, width: int) -> Sequence[Line]:
    """One line each, made when it is looked at."""
    item_width = _item_width(samples, width)
    room = width - item_width - _VALUE - _AGAINST - _TOKENS - _FLAGS - 9

    def line(sample: Sample) -> Line:
        item = sample.item
        value = "-" if item.value is None else scale.text(item.value)
        ink = "bad" if sample.is_wrong or item.error else "warn" if item.truncated or item.value is None else "text"
        return (
            (f"  {fit(item.item, item_width)} ", "text"),
            (f"{value:>{_VALUE}}  ", ink),
            _AGAINST_SIGNS[sample.against],
            (f" {count_text(item.tokens):>{_TOKENS}}  ", "muted"),
            (fit(sample.flags, _FLAGS), ink),
            (fit(sample.text, room).rstrip() if room > 0 else "", "muted"),
        )

    return LazyLines(samples, line)


def preview_lines(sample: Sample | None, width: int) -> list[Line]:
    """The beginning of what was asked, wanted and answered."""
    if sample is None:
        return [((" No sample is like that.", "muted"),)]
    preview, item = sample.preview, sample.item
    entries = [("error", item.error, "bad", 2)]
    if preview is not None:
        entries += [("asked", preview.asked, "text", 2), ("wanted", preview.target, "ok", 1)]
        entries += [("answered", preview.answer, "text", 2)]
    lines: list[Line] = []
    for label, text, ink, most in entries:
        if text.strip():
            lines += hanging_lines((f" {label:<9} ", "muted"), one_line(text), ink, width - 1, most=most)
    return lines or [((" ⏎ reads it in full", "muted"),)]
