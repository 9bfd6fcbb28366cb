"""The screen of runs held against each other."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tcao_tui.domain.comparison import Comparison
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.panes.compare.pane import ComparePane
from tcao_tui.tui.widgets.key_footer import KeyFooter


class CompareScreen(Screen[None]):
    """A comparison of runs.

    Args:
        found: What was read.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "CompareScreen { layout: vertical; }"
    scopes = (Scope.COMPARE, Scope.APP)

    def __init__(self, found: Comparison) -> None:
        super().__init__()
        self._found = found

    def compose(self) -> ComposeResult:
        """The comparison and its keys."""
        yield ComparePane(self._found)
        yield KeyFooter(*self.scopes)

    def take(self, found: Comparison) -> None:
        """Show what was read anew."""
        self.query_one(ComparePane).take(found)

    @on(ComparePane.Left)
    def _leave(self) -> None:
        self.dismiss()
