"""How the checkpoint browser is laid out and drawn: counts, notes, table, one checkpoint in full, filter."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.checkpoint_listing import CheckpointListing
from tcao_tui.tui.panes.checkpoints.browsing import Browsing
from tcao_tui.tui.panes.checkpoints.details import Details, details_lines
from tcao_tui.tui.panes.checkpoints.heading import (
    FIRST_USE,
    counts_line,
    failure_lines,
    notes_line,
    nothing_matches,
    waiting_lines,
)
from tcao_tui.tui.panes.checkpoints.table import header_line, row_lines
from tcao_tui.tui.widgets.find_line import FindLine
from tcao_tui.tui.widgets.line_view import Line, LineView


class CheckpointsView(Widget):
    """Draws what is looked at.

    Args:
        clock: Unix seconds.
        backend: Name of the server, as far as it is known.
        run_id: Show the checkpoints of this run only, to begin with.
        at_run: Put the cursor on this run, to begin with.

    Attributes:
        seen: What is looked at.
        details: What was looked up of a checkpoint.
    """

    DEFAULT_CSS = """
    CheckpointsView {
        height: 1fr; layout: vertical;
        & #counts { height: 1; }
        & #notes { height: auto; }
        & #titles { height: 1; background: $panel; }
        & #rows { height: 1fr; min-height: 3; }
        & #details { height: auto; max-height: 34%; border-top: solid $line; }
        &.-reading #details { height: 75%; max-height: 75%; border-top: solid $primary; }
        &.-empty #details, &.-empty #titles { display: none; }
    }
    """

    class Moved(Message):
        """Something else may be under the cursor or marked."""

    def __init__(self, clock: Callable[[], float], *, backend: str = "", run_id: str = "", at_run: str = "") -> None:
        super().__init__()
        self.clock = clock
        self.seen = Browsing(run_id=run_id, at_run=at_run)
        self.details: Details | None = None
        self._backend, self._doing = backend, ""
        self._failure: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        """Counts, notes, titles, rows, the one in full, and the filter."""
        yield LineView(id="counts")
        yield LineView(id="notes")
        yield LineView(id="titles")
        yield LineView(pick=True, id="rows")
        yield LineView(id="details")
        yield FindLine(placeholder="words to find, or training, sampler, pinned, ours, public; esc shows all")

    @property
    def table(self) -> LineView:
        """The rows."""
        return self.query_one("#rows", LineView)

    @property
    def in_full(self) -> LineView:
        """The checkpoint under the cursor."""
        return self.query_one("#details", LineView)

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the columns to the new width."""
        self.call_after_refresh(self.draw)

    def show(self, listing: CheckpointListing, backend: str) -> None:
        """Take what is known by now; the cursor stays on its row."""
        self._backend, self._failure = backend, None
        self.seen.take(listing, self.clock())
        self.draw()

    def show_failure(self, what: str, next_step: str) -> None:
        """Say why there is nothing to show; what was listed before stays."""
        self._failure = (what, next_step)
        self.draw()

    def show_details(self, details: Details) -> None:
        """Take what was looked up of the checkpoint under the cursor."""
        self.details = details
        self.draw_details()

    def say(self, doing: str) -> None:
        """Say what is being done, in the first line; empty when nothing is."""
        self._doing = doing
        self.draw()

    def draw(self) -> None:
        """Put everything on screen; only cells that differ are painted."""
        width, now = self.size.width, self.clock()
        if not width:
            return
        seen = self.seen
        self.set_class(not seen.rows, "-empty")
        self.query_one("#counts", LineView).show([counts_line(seen, self._backend, self._doing, now)])
        notes = notes_line(seen.listing, width) if seen.listing else ()
        self.query_one("#notes", LineView).show([notes] if notes else [])
        self.query_one("#titles", LineView).show([header_line(self.table.size.width or width, seen.arrangement)])
        if not seen.rows:
            self.table.show(self._in_place_of_rows(width))
        else:
            self._draw_rows(self.table.size.width or width, now)
            self.draw_details()
        self.post_message(self.Moved())

    def _draw_rows(self, width: int, now: float) -> None:
        seen, place = self.seen, self.seen.place
        self.table.show(row_lines(seen.rows, width, now, seen.marked, is_tree=seen.arrangement.is_tree))
        if place is None:
            seen.choose(self.table.cursor)
        else:
            self.table.move_to(place)

    def _in_place_of_rows(self, width: int) -> list[Line]:
        if self.seen.listing is not None and self.seen.listing.checkpoints:
            return nothing_matches(self.seen)
        if self._failure is not None:
            return failure_lines(*self._failure, width)
        if self.seen.listing is None or not self.seen.listing.complete:
            return waiting_lines(self._backend)
        return [*FIRST_USE]

    def draw_details(self) -> None:
        """Put the checkpoint under the cursor on screen."""
        if (checkpoint := self.seen.checkpoint) is not None:
            self.in_full.show(details_lines(checkpoint, self.details, self.size.width, self.clock()))
