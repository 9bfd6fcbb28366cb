"""Charts as SVG whose colours are those of the page around them; classes are styled by `document_html`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from tcao_tui.domain.axes import Axis, nice_axis
from tcao_tui.domain.document import Curve, CurveChart, IntervalChart, Mark
from tcao_tui.domain.plain_text import one_line

_WIDTH, _NAMES, _VALUES = 720, 190, 180
_ROW, _TOP, _BOTTOM = 24, 26, 24
_CURVE_HEIGHT, _LEFT, _RIGHT = 240, 56, 150
_MOST_CURVES = 3


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values to pixels."""

    axis: Axis
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float) -> _Scale:
        known = [value for value in values if math.isfinite(value)]
        return cls(nice_axis(min(known), max(known), 4), start, end)

    def __call__(self, value: float) -> float:
        return round(self.start + (self.axis.place(value) or 0.0) * (self.end - self.start), 1)


def interval_svg(chart: IntervalChart) -> str:
    """Names at the left, values with their intervals on a common axis, numbers at the right; "" without a mark."""
    marks = [mark for mark in chart.marks if math.isfinite(mark.value)]
    if not marks:
        return ""
    ends = [end for mark in marks for end in (mark.value, mark.low, mark.high) if end is not None]
    scale = _Scale.over([*ends, *((chart.reference,) if chart.reference is not None else ())], _NAMES, _WIDTH - _VALUES)
    height = _TOP + _ROW * len(marks) + _BOTTOM
    lines = [_title(chart.title)]
    if chart.reference is not None:
        x = scale(chart.reference)
        lines.append(f'<line class="reference" x1="{x}" x2="{x}" y1="{_TOP - 6}" y2="{height - _BOTTOM}"/>')
    for place, mark in enumerate(marks):
        lines += _mark(mark, scale, _TOP + _ROW * place + _ROW // 2)
    lines.append(_axis(scale, height - _BOTTOM))
    return _svg(chart.title, height, lines)


def _mark(mark: Mark, scale: _Scale, y: int) -> Iterator[str]:
    kind = "mark chosen" if mark.is_chosen else "mark"
    yield f'<text x="0" y="{y + 4}">{_words(mark.label, 28)}</text>'
    told = f"{mark.value:.3f}"
    if mark.low is not None and mark.high is not None:
        yield f'<line class="range" x1="{scale(mark.low)}" x2="{scale(mark.high)}" y1="{y}" y2="{y}"/>'
        told += f" ({mark.low:.3f} to {mark.high:.3f})"
    yield f'<circle class="{kind}" cx="{scale(mark.value)}" cy="{y}" r="4.5"/>'
    yield f'<text x="{_WIDTH - _VALUES + 14}" y="{y + 4}">{told}</text>'


def curve_svg(chart: CurveChart) -> str:
    """Lines over a common axis with their names at their ends; "" without a line."""
    curves = [Curve(each.label, [p for p in each.points if math.isfinite(p[1])]) for each in chart.curves]
    curves = [curve for curve in curves if len(curve.points) > 1][:_MOST_CURVES]
    if not curves:
        return ""
    across = _Scale.over((x for curve in curves for x, _ in curve.points), _LEFT, _WIDTH - _RIGHT)
    up = _Scale.over((y for curve in curves for _, y in curve.points), _CURVE_HEIGHT, _TOP)
    lines = [_title(chart.title), *_levels(up)]
    for number, curve in enumerate(curves):
        path = " ".join(f"{across(x)},{up(y)}" for x, y in curve.points)
        lines.append(f'<polyline class="curve curve{number}" points="{path}"/>')
        x, y = _WIDTH - _RIGHT + 34, _TOP + 14 + 18 * number
        lines.append(f'<line class="curve curve{number}" x1="{x - 26}" x2="{x - 4}" y1="{y - 4}" y2="{y - 4}"/>')
        lines.append(f'<text x="{x}" y="{y}">{_words(curve.label, 18)}</text>')
    lines.append(_axis(across, _CURVE_HEIGHT, chart.x_label))
    return _svg(chart.title, _CURVE_HEIGHT + _BOTTOM, lines)


def _levels(up: _Scale) -> Iterator[str]:
    for tick in up.axis.ticks:
        y = up(tick)
        yield f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="dim" text-anchor="end" x="{_LEFT - 8}" y="{y + 4}">{up.axis.label(tick)}</text>'


def _axis(scale: _Scale, y: int, label: str = "") -> str:
    line = f'<line class="axis" x1="{scale.start}" x2="{scale.end}" y1="{y}" y2="{y}"/>'
    ticks = [
        f'<text class="dim" text-anchor="middle" x="{scale(tick)}" y="{y + 16}">{scale.axis.label(tick)}</text>'
        for tick in scale.axis.ticks
    ]
    return "".join([line, *ticks, f'<text class="dim" x="0" y="{y + 16}">{_words(label, 8)}</text>'])


def _title(text: str) -> str:
    return f'<text class="dim" x="0" y="12">{_words(text, 100)}</text>'


def _words(text: str, width: int) -> str:
    return escape(one_line(text, width))


def _svg(title: str, height: int, lines: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{_words(title, 100)}">{"".join(lines)}</svg>'
    )
