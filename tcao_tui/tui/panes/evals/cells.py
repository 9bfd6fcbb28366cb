"""One cell of the matrix as inked text: score, interval and what it says against the base, or how far it is. Pure.

Colour never stands alone: a bar tells how good, `+ - =` what the gain says, a sign how far a cell is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tcao_tui.domain.eval_matrix import CellView
from tcao_tui.domain.evaluation import CellState, Counts
from tcao_tui.tui.panes.evals.names import Scale
from tcao_tui.tui.widgets.line_view import Span
from tcao_tui.tui.widgets.text_block import fit

if TYPE_CHECKING:
    from tcao_tui.domain.statistics.verdict import Outcome

BARS = "▁▂▃▄▅▆▇█"
SIGNS: dict[Outcome | None, Span] = {
    "better": ("+", "ok"),
    "worse": ("-", "bad"),
    "cannot tell": ("=", "muted"),
    "left out": ("!", "warn"),
    None: (" ", "text"),
}
"""What a gain over the base says."""

STATES: dict[CellState, Span] = {
    CellState.WAITING: ("○", "muted"),
    CellState.STARTING: ("◌", "info"),
    CellState.RUNNING: ("●", "info"),
    CellState.DRAINING: ("◐", "warn"),
    CellState.DONE: ("✓", "ok"),
    CellState.PARTIAL: ("◔", "warn"),
    CellState.FAILED: ("✗", "bad"),
    CellState.CANCELLED: ("■", "muted"),
    CellState.LOST: ("?", "bad"),
}
"""How far a cell is."""

LEAST_WIDTH = 16
_SCORE_WIDTH = 6
_BAR_WIDTH, _LEAST_BAR = 5, 3


@dataclass(frozen=True, slots=True)
class CellText:
    """A cell, to be laid out with the others of its column.

    Attributes:
        spans: The whole of it, where it has no finished score.
        bar, score, interval, sign: Its parts otherwise.
    """

    spans: Sequence[Span] = ()
    bar: Span = (" ", "text")
    score: str = ""
    interval: str = ""
    sign: Span = (" ", "text")

    @property
    def width(self) -> int:
        """Cells that it wants."""
        if not self.score:
            return sum(cell_len(text) for text, _ink in self.spans)
        return 1 + 1 + max(len(self.score), _SCORE_WIDTH) + 1 + len(self.interval) + 2

    def laid_out(self, width: int) -> list[Span]:
        """In exactly `width` cells."""
        if not self.score:
            return _fitted(self.spans, width)
        room = max(width - 5 - max(len(self.score), _SCORE_WIDTH), 0)
        return [
            self.bar,
            (f" {self.score:>{_SCORE_WIDTH}} ", "strong"),
            (fit(self.interval, room), "muted"),
            (" ", "text"),
            self.sign,
        ]


def _fitted(spans: Sequence[Span], width: int) -> list[Span]:
    fitted: list[Span] = []
    for text, ink in spans:
        piece = fit(text, width) if cell_len(text) > width else text
        fitted.append((piece, ink))
        width -= cell_len(piece)
    return [*fitted, (" " * width, "text")]


def cell_text(cell: CellView | None, scale: Scale) -> CellText:
    """A cell of a task with this scale; one that does not exist is a dash."""
    if cell is None:
        return CellText(spans=(("—", "rule"),))
    state = cell.record.state
    if state is CellState.DONE and cell.level is not None:
        return _scored(cell, scale)
    if state.is_live or (state is CellState.WAITING and cell.record.counts.completed):
        return CellText(spans=_progress(cell, scale))
    if state is CellState.PARTIAL and cell.level is not None:
        counts = cell.record.counts
        score = f" {scale.text(cell.level.mean)} of {counts.completed}/{counts.planned}"
        return CellText(spans=(STATES[state], (score, "warn")))
    symbol, ink = STATES[state]
    word = "no score" if state is CellState.DONE else state.value
    return CellText(spans=((f"{symbol} {word}", "warn" if state is CellState.DONE else ink),))


def _scored(cell: CellView, scale: Scale) -> CellText:
    assert cell.level is not None
    bar = BARS[round(scale.height(cell.level.mean) * (len(BARS) - 1))]
    sign = SIGNS[cell.outcome]
    ink = sign[1] if cell.outcome in ("better", "worse") else "info" if cell.outcome is None else "muted"
    return CellText(bar=(bar, ink), score=scale.text(cell.level.mean), interval=scale.interval(cell.level), sign=sign)


def _progress(cell: CellView, scale: Scale) -> list[Span]:
    """`● ██▌░░ 68/200 ~71% 3✗`; the bar goes first where there is no room."""
    counts, state = cell.record.counts, cell.record.state
    if state is CellState.STARTING and not counts.completed:
        return [STATES[state], (" starting", "info")]
    interim = f" ~{_short(scale, cell.level.mean)}" if cell.level is not None else ""
    errors = f" {counts.errored}✗" if counts.errored else ""
    told = f" {counts.completed}/{counts.planned}"
    room = LEAST_WIDTH - 2 - len(told) - len(interim) - len(errors)
    bar = f" {progress_bar(counts, min(room, _BAR_WIDTH))}" if room >= _LEAST_BAR else ""
    return [STATES[state], (bar, "info"), (told, "text"), (interim, "muted"), (errors, "bad")]


def _short(scale: Scale, value: float) -> str:
    return f"{value * 100:.0f}%" if scale.is_share else scale.text(value)


def progress_bar(counts: Counts, width: int) -> str:
    """`███░░`."""
    filled = round(width * min(counts.completed / counts.planned, 1.0)) if counts.planned else 0
    return "█" * filled + "░" * (width - filled)
