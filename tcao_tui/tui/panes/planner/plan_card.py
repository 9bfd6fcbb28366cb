"""The plan card: fills as the interview goes on, tells of each value who set it and why, and lets the person edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.gates import Gate
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.slots import slot_named
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.panes.planner.plan_details import detail_lines
from tcao_tui.tui.panes.planner.plan_rows import PlanRow, plan_rows, shown_gates
from tcao_tui.tui.widgets.line_view import LineView

DETAIL_LINES = 7


class PlanRows(LineView, inherit_bindings=False):
    """Rows with a cursor; the keys are those of the card, not those that scroll."""

    def __init__(self) -> None:
        super().__init__(pick=True, hides_cursor=True, id="plan-rows")


class PlanCard(Widget):
    """Rows, and what is to be said of the row under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.PLAN)]
    DEFAULT_CSS = """
    PlanCard {
        layout: vertical;
        & #plan-rows { height: 1fr; }
        & #plan-detail { height: auto; max-height: 8; border-top: solid $line; display: none; }
        &.-focused #plan-detail { display: block; }
    }
    """

    @dataclass
    class EditWanted(Message):
        """The person wants to change a value; an empty path is the whole plan."""

        path: str

    class Left(Message):
        """The person is done with the card."""

    def __init__(self) -> None:
        super().__init__(id="plan")
        self._sheet: PlanSheet | None = None
        self._rows: list[PlanRow] = []
        self._opened: frozenset[str] = frozenset()
        self._before: Mapping[Gate, str] = {}
        self._is_approved = False

    def compose(self) -> ComposeResult:
        """Rows and detail."""
        yield PlanRows()
        yield LineView(id="plan-detail")

    @property
    def key(self) -> str:
        """Key of the row under the cursor."""
        place = self._view.cursor
        return self._rows[place].key if 0 <= place < len(self._rows) else ""

    @property
    def _view(self) -> LineView:
        return self.query_one(PlanRows)

    def show(self, sheet: PlanSheet, *, is_approved: bool = False) -> None:
        """Show the plan as it stands; gates that changed since the plan before say so."""
        self._is_approved = is_approved
        if self._sheet is not None and sheet is not self._sheet:
            self._before = {result.gate: result.status for result in shown_gates(self._sheet)}
        self._sheet = sheet
        self._draw()

    def focus_rows(self) -> None:
        """Give the keys to the rows."""
        self._view.focus()

    def on_descendant_focus(self) -> None:
        """Tell of the row under the cursor."""
        self.add_class("-focused")
        self.call_after_refresh(self._draw_detail)

    def on_descendant_blur(self) -> None:
        """Leave the place to the rows."""
        self.remove_class("-focused")

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the new width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        view = self._view
        width = view.size.width
        if self._sheet is None or not width:
            return
        key = self.key
        self._rows = plan_rows(
            self._sheet, width, opened=self._opened, before=self._before, is_approved=self._is_approved
        )
        view.show([row.line for row in self._rows])
        self._go_to(next((i for i, row in enumerate(self._rows) if row.key and row.key == key), self._first))
        self._draw_detail()

    @property
    def _first(self) -> int:
        return next((i for i, row in enumerate(self._rows) if row.key), 0)

    def _go_to(self, place: int) -> None:
        self._view.move_to(place)

    def _draw_detail(self) -> None:
        detail = self.query_one("#plan-detail", LineView)
        if self._sheet is not None and (width := detail.size.width or self.size.width):
            detail.show(detail_lines(self._sheet, self.key, width, DETAIL_LINES))

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        if not self.key and self._rows:
            stops = [i for i, row in enumerate(self._rows) if row.key]
            self._go_to(min(stops, key=lambda place: abs(place - event.index), default=0))
        self._draw_detail()

    @on(LineView.Picked)
    def _picked(self, event: LineView.Picked) -> None:
        event.stop()
        self.action_pick()

    def action_step(self, by: int) -> None:
        """The cursor on another row."""
        stops = [i for i, row in enumerate(self._rows) if row.key]
        here = self._view.cursor
        ahead = [place for place in stops if (place > here if by > 0 else place < here)]
        if ahead:
            self._go_to(ahead[min(by, len(ahead)) - 1] if by > 0 else ahead[max(by, -len(ahead))])
        self._draw_detail()

    def action_pick(self) -> None:
        """Edit a value; open or fold a group."""
        kind, _, name = self.key.partition(":")
        slot = slot_named(name) if kind == "slot" else None
        if kind == "path":
            self.post_message(self.EditWanted(name))
        elif slot is not None and len(slot.paths) == 1:
            self.post_message(self.EditWanted(slot.paths[0]))
        elif kind in ("slot", "gate"):
            self._opened ^= {self.key}
            self._draw()

    def action_edit_all(self) -> None:
        """The whole plan in the editor."""
        self.post_message(self.EditWanted(""))

    def action_leave(self) -> None:
        """Back to the conversation."""
        self.post_message(self.Left())
