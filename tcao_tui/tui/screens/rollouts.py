"""The screen of the rollout browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.messages import RolloutsRead
from tcao_tui.tui.panes.rollouts.pane import RolloutsPane
from tcao_tui.tui.widgets.key_footer import KeyFooter


class RolloutsScreen(Screen[None]):
    """The answers that a run was trained on.

    Args:
        look: The newest view of the run; it has rollouts.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "RolloutsScreen { layout: vertical; }"
    scopes = (Scope.ROLLOUTS, Scope.APP)

    def __init__(self, look: Callable[[], RunView]) -> None:
        super().__init__()
        self._look = look

    def compose(self) -> ComposeResult:
        """The browser and its keys."""
        yield RolloutsPane(self._look)
        yield KeyFooter(*self.scopes)

    def take(self, read: RolloutsRead) -> None:
        """Hand the answers that were read to the browser."""
        self.query_one(RolloutsPane).take(read.step, read.groups)

    @on(RolloutsPane.Left)
    def _leave(self) -> None:
        self.dismiss()
