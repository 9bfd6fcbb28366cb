"""A tool card: one line that opens to arguments and result."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from tcao_tui.tui.panes.planner.block_lines import tool_lines
from tcao_tui.tui.panes.planner.blocks import ToolCall
from tcao_tui.tui.widgets.flow_view import FlowView


class ToolView(FlowView):
    """One call of a tool.

    Args:
        call: The call as far as it is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space,right,left", "unfold", show=False)]
    DEFAULT_CSS = """
    ToolView {
        background: transparent;
        &:focus { background: $primary 12%; }
    }
    """

    def __init__(self, call: ToolCall) -> None:
        super().__init__(partial(tool_lines, call))
        self.can_focus = True
        self.call = call
        self._progress = ""
        self._is_open = False

    def take(self, call: ToolCall) -> None:
        """The call went on."""
        self.call = call
        self._redraw()

    def show_progress(self, text: str) -> None:
        """How far it is."""
        self._progress = text
        self._redraw()

    def action_unfold(self) -> None:
        """Show everything, or one line again."""
        self._is_open = not self._is_open
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        """A click opens it."""
        event.stop()
        self.action_unfold()

    def _redraw(self) -> None:
        progress = self._progress if self.call.status == "running" else ""
        self.remake(partial(tool_lines, self.call, progress=progress, is_open=self._is_open))
