"""The screen of the sweeps: their feed and their pane."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tcao_tui.tui.feed import SweepsFeed
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.messages import SweepsChanged
from tcao_tui.tui.panes.sweeps.pane import SweepsPane
from tcao_tui.tui.ports import Ports
from tcao_tui.tui.widgets.key_footer import KeyFooter


class SweepsScreen(Screen[None]):
    """All sweeps, and the cells of one."""

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "SweepsScreen { layout: vertical; }"
    scopes = (Scope.SWEEPS, Scope.APP)

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self._ports = ports

    def compose(self) -> ComposeResult:
        """The sweeps, their feed and the keys."""
        yield SweepsPane()
        yield KeyFooter(*self.scopes)
        yield SweepsFeed(self._ports.open_sweeps)

    @on(SweepsChanged)
    def _show(self, event: SweepsChanged) -> None:
        with self.app.batch_update():
            self.query_one(SweepsPane).show(event.sweeps)

    @on(SweepsPane.Left)
    def _leave(self) -> None:
        self.dismiss()
