"""What to keep of a conversation, and in which file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, get_args

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.chat import Conversation
from tcao_tui.domain.chat_rows import SaveKind, rows_of
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import Refused
from tcao_tui.tui.ring import next_in

_KINDS: tuple[SaveKind, ...] = get_args(SaveKind.__value__)
_TITLES: Mapping[SaveKind, str] = {
    "rows": "Keep the round as a training row",
    "case": "Keep the last answer as an evaluation case",
    "pair": "Keep the vote as a preference pair",
}
_FILES: Mapping[SaveKind, str] = {"rows": "chat-rows.jsonl", "case": "chat-cases.jsonl", "pair": "chat-pairs.jsonl"}


@dataclass(frozen=True, slots=True)
class SaveWanted:
    """What to keep where; `wanted` is the answer to expect in place of the one that was given, for a case."""

    kind: SaveKind
    path: Path
    wanted: str = ""
    tags: tuple[str, ...] = ()


class SaveChatScreen(ModalScreen[SaveWanted | None]):
    """Answers with what to keep, or None.

    Args:
        conversation: As it stands.
        contender: Whose answers are taken.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("up", "other(-1)", show=False, priority=True),
        Binding("down", "other(1)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    SaveChatScreen {
        align: center middle;
        & #box { width: 84; max-width: 96%; height: auto; padding: 1 2; background: $surface; border: round $line; }
        & #what, & #keys { color: $foreground-muted; height: auto; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; margin-top: 1; }
        & Input:focus { border: none; }
        & .case { display: none; }
        &.-case .case { display: block; }
        & #keys { margin-top: 1; }
    }
    """

    def __init__(self, conversation: Conversation, contender: int | None) -> None:
        super().__init__()
        rounds = [one for one in conversation.rounds if one.exchanges]
        self._round = rounds[-1] if rounds else conversation.round
        self._label = "" if contender is None else conversation.contenders[contender].label
        self._hides = conversation.hides_names
        self._contender = contender
        self._kind: SaveKind = "pair" if self._round.vote is not None else "rows"

    def compose(self) -> ComposeResult:
        """The kind, its file, and for a case the wanted answer and tags."""
        with Vertical(id="box"):
            yield Static(id="title", markup=False)
            yield Static(id="what", markup=False)
            yield Input(placeholder="file, made when it is not there", id="file")
            yield Input(placeholder="the answer that is wanted; empty takes the one given", id="wanted", classes="case")
            yield Input(placeholder="tags, separated by commas", id="tags", classes="case")
            yield Static("↑↓ row, case or pair   tab field   ⏎ append   esc cancel", id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin with what there is."""
        self._show()

    def _show(self) -> None:
        self.set_class(self._kind == "case", "-case")
        self.query_one("#title", Static).update(_TITLES[self._kind])
        self.query_one("#what", Static).update(self._about())
        file = self.query_one("#file", Input)
        if file.value in ("", *_FILES.values()):
            file.value = _FILES[self._kind]

    def _about(self) -> str:
        """What would be appended, or why nothing can be."""
        try:
            rows = rows_of(self._kind, self._round, self._contender)
        except Refused as error:
            return f"{error.what}; {error.next_step}" if error.next_step else error.what
        if self._kind == "pair":
            return f"{len(rows)} pair{'s' if len(rows) > 1 else ''}: the better answer before each other one"
        whose = "the chosen column" if self._hides else one_line(self._label, 40)
        return f"answers of {whose}"

    def action_other(self, by: int) -> None:
        """Another kind."""
        self._kind = next_in(_KINDS, self._kind, by)
        self._show()

    @on(Input.Submitted)
    def _save(self) -> None:
        file, wanted, tags = (self.query_one(f"#{name}", Input).value.strip() for name in ("file", "wanted", "tags"))
        if not file:
            self.query_one("#file", Input).focus()
            return
        is_case = self._kind == "case"
        said = tuple(tag.strip() for tag in tags.split(",") if tag.strip()) if is_case else ()
        self.dismiss(SaveWanted(self._kind, Path(file), wanted if is_case else "", said))

    def action_cancel(self) -> None:
        """Keep nothing."""
        self.dismiss(None)
