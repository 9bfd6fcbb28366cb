"""The matrix of evaluations and its keys; what it looks like is `grid`, `heading` and `details`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.evaluation import CellKey
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.panes.evals.details import cell_lines
from tcao_tui.tui.panes.evals.grid import Grid
from tcao_tui.tui.panes.evals.heading import FIRST_USE, selection_lines, title_line
from tcao_tui.tui.widgets.line_view import LineView
from tcao_tui.tui.widgets.text_block import wrapped


class EvalsPane(Widget):
    """Subjects times tasks.

    Args:
        clock: Unix seconds.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.EVALS)]
    DEFAULT_CSS = """
    EvalsPane {
        height: 1fr; layout: vertical;
        & #title { height: 1; }
        & #selection { height: auto; max-height: 25%; }
        & #titles { height: auto; background: $panel; }
        & #rows { height: 1fr; min-height: 3; }
        & #cell { height: auto; max-height: 40%; border-top: solid $line; }
        &.-reading #cell { height: 75%; max-height: 75%; border-top: solid $primary; }
        &.-empty #cell, &.-empty #titles, &.-empty #selection { display: none; }
    }
    """

    class Left(Message):
        """The person wants to go back."""

    @dataclass
    class ActWanted(Message):
        """The person wants to have something done, to the subject under the cursor where it is about one."""

        act: str
        subject: str

    @dataclass
    class CellWanted(Message):
        """The person wants to see the samples of a cell."""

        cell: CellKey

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.can_focus = True
        self._clock = clock
        self.matrix: EvalMatrix | None = None
        self._grid: Grid | None = None
        self._turned: bool | None = None
        self.key: CellKey | None = None
        self._first = 0
        self._doing = ""

    def compose(self) -> ComposeResult:
        """How far it is, the verdict, the matrix, one cell in full."""
        yield LineView(id="title")
        yield LineView(id="selection")
        yield LineView(id="titles")
        yield LineView(pick=True, id="rows")
        yield LineView(id="cell")

    def on_mount(self) -> None:
        """Take the keys."""
        self._rows.can_focus = False  # its own keys would scroll without the cursor
        self.focus()

    @property
    def _rows(self) -> LineView:
        return self.query_one("#rows", LineView)

    def show(self, matrix: EvalMatrix) -> None:
        """Take the newest matrix; the cursor stays on its cell."""
        self.matrix = matrix
        tasks = [task.name for task in sorted(matrix.tasks, key=lambda task: task.layer)]
        subjects = [subject.name for subject in matrix.subjects]
        task, subject = self.key or ("", "")
        task = task if task in tasks else next(iter(tasks), "")
        subject = subject if subject in subjects else next(iter(subjects), "")
        self.key = CellKey(task, subject) if task and subject else None
        self.draw()

    def show_failure(self, what: str, next_step: str) -> None:
        """Say why there is nothing to show."""
        self.add_class("-empty")
        width = max(self.size.width, 20)
        told = [((f"  {line}", "bad"),) for line in wrapped(what, width - 4)]
        told += [((f"  {line}", "text"),) for line in wrapped(next_step, width - 4) if line]
        self._rows.show(told)

    def say(self, doing: str) -> None:
        """Say what is being done, in the first line; empty when nothing is."""
        self._doing = doing
        self.draw()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the columns to the new width."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Put everything on screen; only cells that differ are painted."""
        matrix, width = self.matrix, self.size.width
        if matrix is None or not width:
            return
        self.set_class(self.key is None, "-empty")
        self.query_one("#title", LineView).show([title_line(matrix, self._doing, width, self._clock())])
        if self.key is None:
            self._rows.show(FIRST_USE)
            return
        self.query_one("#selection", LineView).show(selection_lines(matrix, width))
        self._grid = Grid(matrix, width - 1, self._turned)  # the last cell is the scrollbar's
        self._draw_grid()

    def _draw_grid(self) -> None:
        grid, key = self._grid, self.key
        if grid is None or key is None:
            return
        row, column = grid.place(key)
        self._first = grid.first_for(column, self._first)
        self.query_one("#titles", LineView).show(grid.title_lines(column, self._first))
        self._rows.show(grid.lines(key, self._first))
        self._rows.move_to(row)
        self._draw_cell()

    def _draw_cell(self) -> None:
        if self.matrix is not None and (key := self.key) is not None:
            self.query_one("#cell", LineView).show(cell_lines(self.matrix, key, self.size.width - 1, self._clock()))

    def _choose(self, row: int, column: int) -> None:
        grid = self._grid
        key = grid.at(row, column) if grid is not None else None
        if key is not None and key != self.key:
            self.key = key
            self._draw_grid()

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        """A click on a row, or what the person's own keys did already."""
        event.stop()
        if self._grid is not None and self.key is not None:
            self._choose(event.index, self._grid.place(self.key)[1])

    @on(LineView.Picked)
    def _picked(self, event: LineView.Picked) -> None:
        event.stop()
        self.action_open()

    def on_click(self, event: events.Click) -> None:
        """A click on a cell chooses its column; its row is chosen by the list."""
        grid, place = self._grid, event.get_content_offset(self._rows)
        if grid is None or self.key is None or place is None:
            return
        if (column := grid.column_at(place.x, self._first)) is not None:
            self._choose(grid.place(self.key)[0], column)

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor by rows and columns; while a cell is read in full, scroll that instead."""
        if self.has_class("-reading") and down:
            self.query_one("#cell", LineView).scroll_lines(down)
        elif self._grid is not None and self.key is not None:
            row, column = self._grid.place(self.key)
            self._choose(self._grid.row_by(row, down), column + right)

    def action_turn(self) -> None:
        """Tasks down instead of subjects, or back."""
        if self._grid is not None:
            self._turned = not self._grid.is_turned
            self._first = 0
            self.draw()

    def action_read(self) -> None:
        """Give the cell in full most of the screen, or take that back."""
        if self.key is not None:
            self.toggle_class("-reading")
            self.query_one("#cell", LineView).scroll_to(y=0, animate=False)

    def action_open(self) -> None:
        """Go to the samples of the cell."""
        if self.key is not None:
            self.post_message(self.CellWanted(self.key))

    def action_act(self, act: str) -> None:
        """Have something done."""
        self.post_message(self.ActWanted(act, self.key.subject if self.key is not None else ""))

    def action_back(self) -> None:
        """Leave what is in full, then the screen."""
        if self.has_class("-reading"):
            self.action_read()
        else:
            self.post_message(self.Left())
