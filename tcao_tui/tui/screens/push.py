"""Pushing to the Hugging Face Hub: the repository, who may read it, and what that means before it is done."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.hub_push import HubPush
from tcao_tui.tui.checkpoint_commands import push_command
from tcao_tui.tui.ports import PushOffer
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.sentences import sentence_lines
from tcao_tui.tui.widgets.text_block import wrapped

_SCROLLBAR = 1
"""Cells of a line that it takes when there is more than fits."""


class PushScreen(ModalScreen[HubPush | None]):
    """Answers with what is to be pushed where, or None.

    Args:
        offer: What may go there.
        backend: Name of the server's profile.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("up,down", "other_readers", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    PushScreen {
        align: center middle;
        & #box { width: 92; max-width: 98%; height: auto; max-height: 96%; padding: 0 2; }
        & #box { background: $surface; border: round $line; }
        &.-public #box { border: round $warning; }
        & #title { text-style: bold; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; }
        & Input:focus { border: none; }
        & #repository { margin-top: 1; }
        & #confirm { display: none; }
        &.-public #confirm { display: block; }
        & #consequences { height: auto; max-height: 12; margin-top: 1; }
        & #command { height: auto; max-height: 4; margin-top: 1; }
        & #keys { color: $foreground-muted; margin-top: 1; }
    }
    """

    def __init__(self, offer: PushOffer, backend: str) -> None:
        super().__init__()
        self._offer, self._backend, self._push = offer, backend, offer.push

    def compose(self) -> ComposeResult:
        """Repository, readers, consent, consequences, and the same in a shell."""
        with Vertical(id="box"):
            yield Static("Push to the Hugging Face Hub", id="title", markup=False)
            yield Input(placeholder="USER/NAME of the repository, made when missing", id="repository")
            yield LineView(id="readers")
            yield Input(placeholder="USER/NAME once more, since everybody can read it at once", id="confirm")
            yield LineView(id="consequences")
            yield LineView(id="command")
            yield Static("⏎ push   ↑↓ private or public   tab field   esc leave it", id="keys", markup=False)

    def on_resize(self, _event: events.Resize) -> None:
        """Wrap for the new width."""
        self.call_after_refresh(self._draw)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._draw()

    def action_other_readers(self) -> None:
        """Private, or public."""
        self._push = replace(self._push, private=not self._push.private)
        self._draw()

    @property
    def wanted(self) -> HubPush:
        """As it is chosen and typed by now."""
        repository, typed = (self.query_one(f"#{name}", Input).value.strip() for name in ("repository", "confirm"))
        return replace(self._push, repository=repository, typed=typed)

    def _draw(self) -> None:
        width, wanted = max(self.query_one("#consequences").size.width - _SCROLLBAR, 20), self.wanted
        self.set_class(not wanted.private, "-public")
        readers: Line = (_mark(wanted.private, "private"), ("   ", "text"), _mark(not wanted.private, "public"))
        self.query_one("#readers", LineView).show([readers])
        said = [*wanted.consequences, *(() if self._offer.is_there else (self._offer.export.consequence,))]
        lines = sentence_lines(said, width, warning=None if wanted.private else 1)
        self.query_one("#consequences", LineView).show(lines)
        command = f"In a shell:  {push_command(self._offer, wanted, self._backend)}"
        self.query_one("#command", LineView).show([((line, "muted"),) for line in wrapped(command, width)])

    @on(Input.Submitted)
    def _submitted(self) -> None:
        wanted = self.wanted
        if wanted.problem:
            self._insist("#repository", f"{wanted.problem}, such as me/my-model")
        elif wanted.confirm and wanted.typed != wanted.confirm:
            self._insist("#confirm", f"Type {wanted.confirm} once more to publish it for everybody, or press Esc.")
        else:
            self.dismiss(wanted)

    def _insist(self, field: str, why: str) -> None:
        self.query_one(field, Input).focus()
        self.notify(f"{why[:1].upper()}{why[1:]}", severity="warning", markup=False)

    def action_cancel(self) -> None:
        """Push nothing."""
        self.dismiss(None)


def _mark(is_chosen: bool, word: str) -> tuple[str, str]:
    return (f"{'●' if is_chosen else '○'} {word}", "strong" if is_chosen else "muted")
