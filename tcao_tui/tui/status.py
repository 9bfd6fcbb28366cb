"""States in a symbol, a word and an ink, so that they are told apart without colour."""

from __future__ import annotations

from tcao_tui.domain.run_view import RunStatus
from tcao_tui.tui.widgets.line_view import Span

_SIGNS: dict[RunStatus, tuple[str, str]] = {
    RunStatus.CREATED: ("○", "muted"),
    RunStatus.STARTING: ("◌", "info"),
    RunStatus.RUNNING: ("●", "info"),
    RunStatus.WAITING: ("◔", "warn"),
    RunStatus.PAUSED: ("‖", "warn"),
    RunStatus.STOPPING: ("◐", "warn"),
    RunStatus.STOPPED: ("■", "muted"),
    RunStatus.COMPLETED: ("✓", "ok"),
    RunStatus.FAILED: ("✗", "bad"),
    RunStatus.INTERRUPTED: ("↯", "bad"),
    RunStatus.BUDGET: ("$", "warn"),
    RunStatus.LOST: ("?", "bad"),
}


def status_span(status: RunStatus, width: int = 0) -> Span:
    """`● running`, padded to `width`."""
    symbol, ink = _SIGNS[status]
    return f"{symbol} {status.value}".ljust(width), ink
