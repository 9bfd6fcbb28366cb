"""All keys, made from the key table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tcao_tui.tui.keys import KEYS, Scope
from tcao_tui.tui.widgets.line_view import Line, LineView


def help_lines(first: Sequence[Scope] = ()) -> list[Line]:
    """A heading per scope and a line per key; `first` names what works where one is."""
    lines: list[Line] = []
    for scope in (*first, *(scope for scope in Scope if scope not in first)):
        lines += [(), ((scope.value, "strong"),)]
        lines += [((f"{key.shown:>6}  ", "info"), (key.help, "text")) for key in KEYS if key.scope is scope]
    states = "● running  ◔ waiting  ‖ paused  ◐ stopping  ■ stopped  ✓ completed  ✗ failed  ? lost"
    return [*lines[1:], (), (("States", "strong"),), ((f"  {states}", "muted"),)]


class HelpScreen(ModalScreen[None]):
    """Shows the keys until any of Esc, ? or q.

    Args:
        first: Scopes to begin with.
        more: What else helps where one is, shown before the keys.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,f1", "dismiss", "close", show=False),
        Binding("up,k", "scroll_help(-1)", show=False),
        Binding("down,j", "scroll_help(1)", show=False),
        Binding("pageup", "scroll_help(-10)", show=False),
        Binding("pagedown,space", "scroll_help(10)", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        & #box { width: 92; max-width: 96%; height: auto; max-height: 92%; padding: 1 2; }
        & #box { background: $surface; border: round $line; }
        & LineView { height: auto; max-height: 100%; }
    }
    """

    def __init__(self, first: Sequence[Scope] = (), more: Sequence[Line] = ()) -> None:
        super().__init__()
        self._first, self._more = first, more

    def compose(self) -> ComposeResult:
        """The lines."""
        with Vertical(id="box"):
            yield LineView()

    def on_mount(self) -> None:
        """Show the table."""
        more = [*self._more, ()] if self._more else []
        self.query_one(LineView).show([*more, *help_lines(self._first)])

    def action_scroll_help(self, by: int) -> None:
        """Scroll."""
        self.query_one(LineView).scroll_lines(by)
