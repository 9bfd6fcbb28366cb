"""Asking for one line of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class AskLineScreen[T](ModalScreen[T | None]):
    """Answers with what was typed, as `understand` takes it, or None.

    Args:
        title: What is asked for.
        understand: Takes the line; None keeps asking, and so does a `ValueError`, which a person is told.
        above: Texts between title and line.
        placeholder: What an empty line says.
        below: Texts below the line, the keys last.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]
    DEFAULT_CSS = """
    AskLineScreen {
        align: center middle;
        & #box { width: 84; max-width: 96%; height: auto; padding: 1 2; background: $surface; border: round $line; }
        & Static { height: auto; color: $foreground-muted; margin-top: 1; }
        & #title { text-style: bold; color: $foreground; margin-top: 0; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; margin-top: 1; }
        & Input:focus { border: none; }
    }
    """

    def __init__(
        self,
        title: str,
        understand: Callable[[str], T | None],
        *,
        above: Sequence[str] = (),
        placeholder: str,
        below: Sequence[str],
    ) -> None:
        super().__init__()
        self._title, self._understand, self._placeholder = title, understand, placeholder
        self._above, self._below = above, below

    def compose(self) -> ComposeResult:
        """Title, texts, line, texts."""
        with Vertical(id="box"):
            yield Static(self._title, id="title", markup=False)
            yield from (Static(text, markup=False) for text in self._above)
            yield Input(placeholder=self._placeholder)
            yield from (Static(text, markup=False) for text in self._below)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            found = self._understand(event.value)
        except ValueError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if found is not None:
            self.dismiss(found)

    def action_cancel(self) -> None:
        """Answer nothing."""
        self.dismiss(None)
