"""The run list: every run in one line, found by typing, sorted by any column, opened with Enter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.run_view import RunSummary
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import CompareRuns, ControlRun, ListInterviews, OpenRun, OpenSweeps, ResumeRun, RunDemo
from tcao_tui.tui.panes.run_list.table import AGE, COLUMNS, arranged, counts_line, header_line, row_lines
from tcao_tui.tui.widgets.find_line import FindLine
from tcao_tui.tui.widgets.line_view import Line, LineView

if TYPE_CHECKING:
    from tcao_tui.domain.events import Verb

_FIRST_USE: tuple[Line, ...] = (
    (("  No runs yet.", "strong"),),
    (),
    (("  d ", "info"), ("trains the included demo on the local engine: free, offline, about a minute", "text")),
    (("  i ", "info"), ("plans one with you: say what the model should learn, and name your data", "text")),
    (("  n ", "info"), ("starts a run from a plan file of yours", "text")),
    (),
    (("  or in a shell:  tcao run PLAN", "muted"),),
    (("                  tcao watch DIR    a run directory of the tinker-cookbook", "muted"),),
)

_ROWS = {"up": -1, "k": -1, "down": 1, "j": 1, "home": -(10**9), "end": 10**9}
_PAGES = {"pageup": -1, "pagedown": 1}
"""How far each key moves the cursor."""


class CheckpointsWanted(Message):
    """The person wants to see the checkpoints of the server."""


class RunListPane(Widget):
    """All runs."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.RUNS, Scope.RUN)]
    DEFAULT_CSS = """
    RunListPane {
        height: 1fr; layout: vertical;
        & #counts { height: 1; }
        & #titles { height: 1; background: $panel; }
        & #rows { height: 1fr; }
    }
    """

    class NewWanted(Message):
        """The person wants to start a run from a plan file."""

    class Highlighted(Message):
        """Another run is under the cursor, or its state changed."""

        def __init__(self, row: RunSummary | None) -> None:
            super().__init__()
            self.row = row

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._all: list[RunSummary] | None = None
        self._rows: list[RunSummary] = []
        self._chosen_id = ""
        self._wanted = ""
        self._sorted_by, self._reverse = AGE, False
        self.marked: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Counts, titles, rows and the filter."""
        yield LineView(id="counts")
        yield LineView(id="titles")
        yield LineView(pick=True, id="rows")
        yield FindLine(placeholder="filter by name, model, state; enter keeps it, esc clears it")

    def on_mount(self) -> None:
        """Take the keys."""
        self.query_one("#rows", LineView).focus()

    @property
    def row(self) -> RunSummary | None:
        """The run under the cursor."""
        index = self.query_one("#rows", LineView).cursor
        return self._rows[index] if 0 <= index < len(self._rows) else None

    @property
    def is_filled(self) -> bool:
        """Whether the runs have been read."""
        return self._all is not None

    @property
    def shown(self) -> list[RunSummary]:
        """The runs in the list, as sorted and filtered."""
        return list(self._rows)

    def show(self, rows: list[RunSummary]) -> None:
        """Take all rows, newest first; the cursor stays on its run."""
        self._all = rows
        self._arrange()

    def _arrange(self) -> None:
        if self._all is None:
            return
        self._rows = arranged(self._all, wanted=self._wanted, sorted_by=self._sorted_by, reverse=self._reverse)
        self._draw()

    def _draw(self) -> None:
        view = self.query_one("#rows", LineView)
        width = view.size.width
        if self._all is None or not width:
            return
        self.query_one("#counts", LineView).show(
            [counts_line(self._all, len(self._rows), self._wanted, len(self.marked))]
        )
        self.query_one("#titles", LineView).show([header_line(width, self._sorted_by, self._reverse)])
        place = next((i for i, r in enumerate(self._rows) if r.run_id == self._chosen_id), None)
        view.show(row_lines(self._rows, width, self._clock(), self.marked) if self._all else _FIRST_USE)
        if place is not None:
            view.move_to(place)
        self._remember()

    def _remember(self) -> None:
        row = self.row
        self._chosen_id = row.run_id if row else ""
        self.post_message(self.Highlighted(row))

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the columns to the new width."""
        self.call_after_refresh(self._draw)

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        self._remember()

    @on(LineView.Picked)
    def _picked(self, event: LineView.Picked) -> None:
        event.stop()
        self.action_open()

    def on_key(self, event: events.Key) -> None:
        """Move the cursor; in the filter, Esc clears it."""
        view, find = self.query_one("#rows", LineView), self.query_one(FindLine)
        if find.has_focus:
            if event.key == "escape":
                find.drop()
                view.focus()
                event.stop()
            return
        if by := _ROWS.get(event.key, 0) + _PAGES.get(event.key, 0) * max(view.size.height - 1, 1):
            view.move_to(view.cursor + by)
            event.stop()

    @on(FindLine.Changed)
    def _filter_changed(self, event: FindLine.Changed) -> None:
        self._wanted = event.value.strip()
        self._arrange()

    @on(FindLine.Submitted)
    def _filter_kept(self) -> None:
        self.query_one(FindLine).keep()
        self.query_one("#rows", LineView).focus()

    def action_filter(self) -> None:
        """Type to find."""
        self.query_one(FindLine).open()

    def action_back(self) -> None:
        """Show all runs again."""
        self.query_one(FindLine).drop()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sorted_by, self._reverse = (self._sorted_by + 1) % len(COLUMNS), False
        self._arrange()

    def action_reverse(self) -> None:
        """Turn the order around."""
        self._reverse = not self._reverse
        self._arrange()

    def action_open(self) -> None:
        """Go to the run."""
        if self.row is not None:
            self.post_message(OpenRun(self.row.run_id))

    def action_mark(self) -> None:
        """Mark the run to compare it, or unmark it, and go on to the next."""
        if self.row is not None:
            self.marked ^= {self.row.run_id}
            self._draw()
            rows = self.query_one("#rows", LineView)
            rows.move_to(rows.cursor + 1)

    def action_compare(self) -> None:
        """Hold the marked runs, and the one under the cursor when it takes that to have two, against each other."""
        here = {self.row.run_id} if self.row is not None and len(self.marked) < 2 else set[str]()
        there = [row.run_id for row in self._all or () if row.run_id in self.marked | here]
        if len(there) < 2:
            self.notify("Mark runs with space, then press v.", markup=False)
        else:
            self.post_message(CompareRuns(there))

    def action_go(self, where: str) -> None:
        """Plan a run, start one from a plan file, train the demo, or see the sweeps or the checkpoints."""
        places = {
            "plan": ListInterviews,
            "new": self.NewWanted,
            "demo": RunDemo,
            "sweeps": OpenSweeps,
            "checkpoints": CheckpointsWanted,
        }
        self.post_message(places[where]())

    def action_control(self, verb: str) -> None:
        """Ask the run's worker for something."""
        if self.row is not None:
            self.post_message(ControlRun(self.row.run_id, cast("Verb", verb)))

    def action_resume(self) -> None:
        """Let the run go on."""
        if self.row is not None:
            self.post_message(ResumeRun(self.row.run_id))
