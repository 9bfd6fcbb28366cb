"""What the console's app has to do with the terminal it runs in: paint little, copy, leave when it goes away."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any, cast

from rich.console import RenderableType
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.screen import Screen

from tcao_tui.tui.terminal import HANGUP_EXIT, leave_soon, osc_52, terminal_is_gone, tmux_passthrough
from tcao_tui.tui.widgets.changed_cells import PartialUpdate, split_at_changes

_TERMINAL_CHECK_SECONDS = 2.0


class TerminalApp(App[int]):
    """Base of the console."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, ChopsUpdate):
            split_at_changes(cast("PartialUpdate", renderable))
        super()._display(screen, renderable)

    def copy_to_clipboard(self, text: str) -> None:
        """Send a text to the terminal's clipboard by OSC 52, through tmux too where it lets that pass."""
        super().copy_to_clipboard(text)
        if os.environ.get("TMUX"):
            self.write_to_terminal(tmux_passthrough(osc_52(text)))

    def write_to_terminal(self, sequence: str) -> None:
        """Send an escape sequence that paints nothing."""
        if self._driver is not None:
            self._driver.write(sequence)

    def on_mount(self) -> None:
        """Leave when the terminal goes away."""
        if not self.is_headless:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hang_up)
            self.set_interval(_TERMINAL_CHECK_SECONDS, self._check_terminal)

    def _check_terminal(self) -> None:
        if terminal_is_gone(sys.__stdin__.fileno() if sys.__stdin__ else 0):
            self._hang_up()

    def _hang_up(self) -> None:
        leave_soon(lambda: self.exit(HANGUP_EXIT, return_code=HANGUP_EXIT))
