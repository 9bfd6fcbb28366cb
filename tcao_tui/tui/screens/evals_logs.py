"""Naming Inspect logs that were made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.tui.evals_acts import paths_typed


class OpenLogsScreen(ModalScreen[tuple[Path, ...] | None]):
    """Answers with the paths, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]
    DEFAULT_CSS = """
    OpenLogsScreen {
        align: center middle;
        & #box { width: 84; max-width: 96%; height: auto; padding: 1 2; background: $surface; border: round $line; }
        & Static { height: auto; }
        & #title { text-style: bold; }
        & #hint { color: $foreground-muted; margin-top: 1; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; margin-top: 1; }
        & Input:focus { border: none; }
    }
    """

    def compose(self) -> ComposeResult:
        """One line for all paths."""
        with Vertical(id="box"):
            yield Static("Open Inspect logs", id="title", markup=False)
            yield Input(placeholder="base.eval other.eval ..., or a directory of logs")
            yield Static(
                "The base's log comes first; the others are held against it, item by item.\n"
                "In a shell: tcao eval open LOG...      ⏎ open   esc leave it",
                id="hint",
                markup=False,
            )

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            paths = paths_typed(event.value)
        except ValueError:
            self.notify("A quote is not closed.", severity="warning", markup=False)
            return
        gone = [path for path in paths if not path.exists()]
        if gone:
            self.notify(f"There is no {gone[0]}.", severity="warning", markup=False)
        elif paths:
            self.dismiss(paths)

    def action_cancel(self) -> None:
        """Open nothing."""
        self.dismiss(None)
