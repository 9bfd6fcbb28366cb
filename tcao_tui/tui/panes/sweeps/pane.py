"""The sweeps: a list of them, and the cells of the one under the cursor with which is best and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import CompareRuns, OpenRun
from tcao_tui.tui.panes.sweeps.lines import FIRST_USE, cell_lines, header_line, state_line, sweep_lines, verdict_lines
from tcao_tui.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from tcao_tui.domain.sweep_table import CellRow, FollowedSweep, SweepTable


_ROWS = {"up": -1, "k": -1, "down": 1, "j": 1, "home": -(10**9), "end": 10**9}
_PAGES = {"pageup": -1, "pagedown": 1}
"""How far each key moves a cursor."""


class SweepsPane(Widget):
    """All sweeps, and the cells of one."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.SWEEPS)]
    DEFAULT_CSS = """
    SweepsPane {
        height: 1fr;
        layout: vertical;
        & #list { height: auto; max-height: 30%; }
        & #state { height: 2; border-top: solid $line; }
        & #titles { height: 1; background: $panel; }
        & #cells { height: 1fr; }
        & #verdict { height: auto; max-height: 7; border-top: solid $line; }
        &.-empty #state, &.-empty #titles, &.-empty #verdict { display: none; }
    }
    """

    class Left(Message):
        """The person wants to go back to the run list."""

    def __init__(self) -> None:
        super().__init__()
        self._sweeps: Sequence[FollowedSweep] | None = None
        self._chosen = ""

    def compose(self) -> ComposeResult:
        """The list, and the table below it."""
        yield LineView(pick=True, hides_cursor=True, id="list")
        yield LineView(id="state")
        yield LineView(id="titles")
        yield LineView(pick=True, hides_cursor=True, id="cells")
        yield LineView(id="verdict")

    def on_mount(self) -> None:
        """Take the keys."""
        self.query_one("#list", LineView).focus()

    @property
    def is_filled(self) -> bool:
        """Whether the sweeps have been read."""
        return self._sweeps is not None

    @property
    def table(self) -> SweepTable | None:
        """The table in sight."""
        chosen = next((sweep for sweep in self._sweeps or () if sweep.name == self._chosen), None)
        return chosen.table if chosen is not None else None

    @property
    def row(self) -> CellRow | None:
        """The cell under the cursor."""
        index = self.query_one("#cells", LineView).cursor
        return self.table.rows[index] if self.table is not None and index < len(self.table.rows) else None

    def show(self, sweeps: Sequence[FollowedSweep]) -> None:
        """Take all sweeps; both cursors stay where they are."""
        self._sweeps = sweeps
        names = [sweep.name for sweep in sweeps]
        if self._chosen not in names:
            self._chosen = names[0] if names else ""
        self._draw()
        if names:
            self.query_one("#list", LineView).move_to(names.index(self._chosen))

    def _draw(self) -> None:
        width = self.size.width
        if self._sweeps is None or not width:
            return
        self.set_class(self.table is None, "-empty")
        self.query_one("#list", LineView).show(sweep_lines(self._sweeps, self._chosen, width) or FIRST_USE)
        cells = self.query_one("#cells", LineView)
        if self.table is None:
            cells.show(())
            return
        self.query_one("#state", LineView).show([state_line(self.table, width)])
        self.query_one("#titles", LineView).show([header_line(self.table, width)])
        cells.show(cell_lines(self.table, width))
        self.query_one("#verdict", LineView).show(verdict_lines(self.table, self.row, width))

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the columns to the new width."""
        self.call_after_refresh(self._draw)

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        if self._sweeps:
            self._choose(self._sweeps[self.query_one("#list", LineView).cursor].name)
        self._draw()

    def _choose(self, name: str) -> None:
        if name != self._chosen:
            self._chosen = name
            self.query_one("#cells", LineView).move_to(0)

    @on(LineView.Picked)
    def _picked(self, event: LineView.Picked) -> None:
        event.stop()
        self.action_open()

    @property
    def _is_among_cells(self) -> bool:
        return self.query_one("#cells", LineView).has_focus

    def on_key(self, event: events.Key) -> None:
        """Move the cursor that has the keys; a list would only scroll."""
        view = self.query_one("#cells" if self._is_among_cells else "#list", LineView)
        if by := _ROWS.get(event.key, 0) + _PAGES.get(event.key, 0) * max(view.size.height - 1, 1):
            view.move_to(view.cursor + by)
            event.stop()

    def action_other(self) -> None:
        """From the list to the cells, or back."""
        if self.table is not None:
            self.query_one("#list" if self._is_among_cells else "#cells", LineView).focus()

    def action_open(self) -> None:
        """Go to the cells; from there to the run of one."""
        if not self._is_among_cells:
            self.action_other()
        elif self.row is not None and self.row.run_id:
            self.post_message(OpenRun(self.row.run_id))
        elif self.row is not None:
            self.notify(self.row.problem or "This cell has no run yet.", markup=False)

    def action_compare(self) -> None:
        """Hold the runs of the cells against each other."""
        ran = [row.run_id for row in self.table.rows if row.run_id] if self.table is not None else []
        if len(ran) < 2:
            self.notify("Fewer than two cells have a run.", markup=False)
        else:
            self.post_message(CompareRuns(ran))

    def action_back(self) -> None:
        """To the list, then away."""
        if self._is_among_cells:
            self.action_other()
        else:
            self.post_message(self.Left())
