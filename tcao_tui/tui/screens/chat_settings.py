"""How to sample: system prompt, temperature and the like, changed in fields."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.chat import ChatSettings
from tcao_tui.domain.plain_text import plain_text

_FIELDS = {
    "temperature": "0 takes the likeliest token, up to 5",
    "max_tokens": "most tokens of one answer, thinking included",
    "top_p": "share of the probability that is sampled from, up to 1",
    "seed": "makes answers repeatable; empty draws anew",
    "thinking": "yes or no, by the choice of chat format; empty: as trained",
}
_WORDS = {None: "", True: "yes", False: "no"}


class ChatSettingsScreen(ModalScreen[tuple[ChatSettings, str] | None]):
    """Answers with the settings and the system prompt, or None.

    Args:
        settings: As they are.
        system: The system prompt as it is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = """
    ChatSettingsScreen {
        align: center middle;
        & #box { width: 84; max-width: 96%; height: auto; padding: 1 2; background: $surface; border: round $line; }
        & Horizontal { height: 1; margin-top: 1; }
        & Horizontal > Static { width: 13; color: $foreground-muted; }
        & Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $panel; }
        & Input:focus { border: none; }
        & #problem { color: $error; height: auto; }
        & #keys { color: $foreground-muted; margin-top: 1; }
    }
    """

    def __init__(self, settings: ChatSettings, system: str) -> None:
        super().__init__()
        self._settings, self._system = settings, system

    def compose(self) -> ComposeResult:
        """A field for each."""
        now = self._settings.model_dump()
        with Vertical(id="box"):
            yield Static("How to sample, from the next prompt on", markup=False)
            with Horizontal():
                yield Static("system", markup=False)
                yield Input(self._system, placeholder="system prompt; another one begins a round", id="system")
            for name, meaning in _FIELDS.items():
                value = _WORDS[now[name]] if name == "thinking" else "" if now[name] is None else str(now[name])
                with Horizontal():
                    yield Static(name.replace("_", " "), markup=False)
                    yield Input(value, placeholder=meaning, id=name)
            yield Static(id="problem", markup=False)
            yield Static("↑↓ field   ⏎ take over   esc leave as it is", id="keys", markup=False)

    @on(Input.Submitted)
    def _take_over(self) -> None:
        said = {name: self.query_one(f"#{name}", Input).value.strip() or None for name in _FIELDS}
        try:
            settings = ChatSettings.model_validate({k: v for k, v in said.items() if v is not None})
        except ValidationError as error:
            wrong = error.errors()[0]
            self.query_one("#problem", Static).update(f"{wrong['loc'][0]}: {wrong['msg']}")
            self.query_one(f"#{wrong['loc'][0]}", Input).focus()
            return
        self.dismiss((settings, plain_text(self.query_one("#system", Input).value.strip())))

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)
