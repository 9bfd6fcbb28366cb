"""Base of the panes of one run: the screen hands a view down, a hidden pane only remembers it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.keys import Scope


class Pane(Widget):
    """A part of the run screen. Panes know no other pane, no service and no store; they post messages upward.

    Attributes:
        title: What the person calls it.
        scopes: Scopes of the key table that work here.
    """

    title: ClassVar[str] = ""
    scopes: ClassVar[tuple[Scope, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = """
    Pane { height: 1fr; }
    """

    class Left(Message):
        """The person wants to leave the run."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.can_focus = True
        self.view: RunView | None = None
        self._drawn: RunView | None = None

    def show(self, view: RunView) -> None:
        """Take the newest view and draw it when in sight."""
        self.view = view
        if self.display and self.is_mounted:
            self.catch_up()

    def catch_up(self) -> None:
        """Draw what was missed while hidden."""
        if self.view is not None and self.view is not self._drawn:
            self._drawn = self.view
            self.draw(self.view)

    def draw(self, view: RunView) -> None:
        """Put the view on screen; called only while in sight."""
        raise NotImplementedError
