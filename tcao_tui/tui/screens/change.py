"""Changing a setting of a training that runs: which, to what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, get_args

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.setting_request import SettingRequest, what_is_wrong
from tcao_tui.domain.training_config import SettingKey
from tcao_tui.domain.wording import number_text
from tcao_tui.tui.ring import next_in

_KEYS: tuple[SettingKey, ...] = get_args(SettingKey)
_MEANINGS: dict[SettingKey, str] = {
    "learning_rate": "the peak that the schedule scales; above 0 and at most 1",
    "eval_every": "steps between evaluations; 0: only at the ends",
}


class ChangeScreen(ModalScreen[SettingRequest | None]):
    """Answers with the request, or None.

    Args:
        present: The settings as they are; a value that is not known is left out.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("up,down", "other", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    ChangeScreen {
        align: center middle;
        & #box { width: 76; max-width: 96%; height: auto; padding: 1 2; background: $surface; border: round $line; }
        & #meaning, & #keys { color: $foreground-muted; }
        & #keys { margin-top: 1; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; margin-top: 1; }
        & Input:focus { border: none; }
        & #problem { color: $error; height: auto; margin-top: 1; }
    }
    """

    def __init__(self, present: Mapping[SettingKey, float]) -> None:
        super().__init__()
        self._present = present
        self._key: SettingKey = _KEYS[0]

    def compose(self) -> ComposeResult:
        """The setting, its value and the reason."""
        with Vertical(id="box"):
            yield Static(id="setting", markup=False)
            yield Static(id="meaning", markup=False)
            yield Input(placeholder="new value", id="value")
            yield Input(placeholder="why, for the record", id="why")
            yield Static(id="problem", markup=False)
            yield Static("↑↓ other setting   ⏎ ask the worker   esc cancel", id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin with the first setting."""
        self._show()

    def _show(self) -> None:
        value = self._present.get(self._key)
        now = "" if value is None else f", now {number_text(value)}"
        self.query_one("#setting", Static).update(f"Change {self._key}{now}, from the next update on")
        self.query_one("#meaning", Static).update(_MEANINGS[self._key])
        self._say("")

    def action_other(self) -> None:
        """The other setting."""
        self._key = next_in(_KEYS, self._key)
        self._show()

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _confirm(self, event: Input.Submitted) -> None:
        value, why = (self.query_one(f"#{place}", Input) for place in ("value", "why"))
        request = self._request(value.value.strip(), why.value.strip())
        if request is None:
            value.focus()
        elif event.input is why:
            self.dismiss(request)
        else:
            why.focus()

    def _request(self, value: str, why: str) -> SettingRequest | None:
        problem, request = "", None
        try:
            request = SettingRequest.model_validate({"key": self._key, "value": value, "why": why})
        except ValidationError as error:
            problem = what_is_wrong(error)
        self._say(problem)
        return request

    def _say(self, problem: str) -> None:
        field = self.query_one("#problem", Static)
        field.update(problem)
        field.display = bool(problem)
