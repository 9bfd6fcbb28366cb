"""The line on top of a screen that names the resume point that is about to expire; tells each once, as a notice.

Nothing is there, and takes no room, while nothing is about to expire.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget

from tcao_tui.tui.feed import Feed, Pace
from tcao_tui.tui.messages import SourceFailed
from tcao_tui.tui.ports import ExpiryPort
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.text_block import fit

if TYPE_CHECKING:
    from tcao_tui.domain.expiring import Expiring
    from tcao_tui.services.expiry_watch import ExpiryReport

START_SECONDS = 2.0
"""The screen is filled before this brings pydantic and reads runs."""

_APART = Pace(600.0, 600.0, 600.0)
_NOTICE_SECONDS = 12.0
_REMEDY = "b lists the weights, which extends it"


class ExpiryFeed(Feed):
    """Looks now and then; the port is shared by all screens and stays open.

    Args:
        open_expiry: Opens the port; called in a thread.
        pace: How long to wait.
    """

    @dataclass
    class Looked(Message):
        """What is about to expire by now."""

        report: ExpiryReport

    def __init__(self, open_expiry: Callable[[], ExpiryPort | None], pace: Pace = _APART) -> None:
        super().__init__(pace)
        self._open = open_expiry
        self._has_looked = False

    def on_mount(self) -> None:
        """Look for the first time when the screen has settled."""
        self.set_timer(START_SECONDS, self.ask)

    def look_again(self) -> None:
        """Look now, since something may have been done about it; not before the first time."""
        if self._has_looked:
            self.ask()

    def read(self) -> list[Message]:
        """What is about to expire."""
        self._has_looked = True
        port = self._open()
        return [] if port is None else [self.Looked(port.poll())]

    def next_wait(self, changed: bool) -> float:
        """Always the same: days are what is counted."""
        return self._pace.idle_seconds


class ExpiryBar(Widget):
    """Says which resume point goes first, and of how many.

    Args:
        open_expiry: Opens the port.
    """

    DEFAULT_CSS = "ExpiryBar { height: auto; & LineView { height: auto; } }"

    def __init__(self, open_expiry: Callable[[], ExpiryPort | None]) -> None:
        super().__init__()
        self._open = open_expiry
        self._found: Sequence[Expiring] = ()

    def compose(self) -> ComposeResult:
        """The line and its feed."""
        yield LineView()
        yield ExpiryFeed(self._open)

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the width."""
        self._draw()

    def _draw(self) -> None:
        self.query_one(LineView).show(expiry_lines(self._found, self.size.width or self.app.size.width))

    @on(ExpiryFeed.Looked)
    def _looked(self, event: ExpiryFeed.Looked) -> None:
        event.stop()
        self._found = event.report.found
        self._draw()
        for one in event.report.news:
            self.notify(
                f"{one.describe()}; {_REMEDY}.",
                title="A resume point is about to expire",
                severity="warning",
                timeout=_NOTICE_SECONDS,
                markup=False,
            )

    @on(SourceFailed)
    def _failed(self, event: SourceFailed) -> None:
        """A store that cannot be read is said by the screen's own feed."""
        event.stop()


def expiry_lines(found: Sequence[Expiring], width: int) -> list[Line]:
    """One line, or none; the remedy is left out where there is no room."""
    if not found:
        return []
    count = f"{len(found)} resume points expire soon; " if len(found) > 1 else ""
    said = f"▲ {count}{found[0].describe()}"
    whole = f"{said}; {_REMEDY}"
    return [((" ", "warn"), (fit(whole if cell_len(whole) < width else said, width - 1), "warn"))]
