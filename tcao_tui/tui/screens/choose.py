"""Choosing one name out of many, with typing to find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tcao_tui.domain.plain_text import one_line


class ChooseScreen(ModalScreen[str | None]):
    """Answers with the chosen name, or None.

    Args:
        title: What is chosen.
        choices: Name and text of each choice.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
    ]
    DEFAULT_CSS = """
    ChooseScreen {
        align: center middle;
        & #box { width: 60; max-width: 92%; height: auto; max-height: 80%; padding: 1 2; }
        & #box { background: $surface; border: round $line; }
        & Input { height: 1; border: none; padding: 0; background: $panel; margin-bottom: 1; }
        & Input:focus { border: none; }
        & OptionList { height: auto; max-height: 16; border: none; padding: 0; background: $surface; }
    }
    """

    def __init__(self, title: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Title, search and choices."""
        with Vertical(id="box"):
            yield Static(self._title, markup=False)
            yield Input(placeholder="type to find")
            yield OptionList()

    def on_mount(self) -> None:
        """Offer everything."""
        self._offer("")

    @on(Input.Changed)
    def _find(self, event: Input.Changed) -> None:
        self._offer(event.value)

    def _offer(self, wanted: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(Content(one_line(text if text == name else f"{text}  ({name})", 70)), id=name)
            for name, text in self._choices
            if wanted.lower() in f"{name} {text}".lower()
        )
        options.highlighted = 0 if options.option_count else None

    def on_key(self, event: events.Key) -> None:
        """Arrows move the choice while the text keeps the focus."""
        options = self.query_one(OptionList)
        if event.key == "down":
            options.action_cursor_down()
        elif event.key == "up":
            options.action_cursor_up()
        else:
            return
        event.stop()

    @on(Input.Submitted)
    def _take(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
