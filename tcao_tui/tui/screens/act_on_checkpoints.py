"""What an action on checkpoints would do, before it is done: consequences, what is typed, the same in a shell."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.checkpoint_actions import Consequences
from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.tui.checkpoint_commands import Asked, headless, title_of
from tcao_tui.tui.panes.checkpoints.table import expiry_text, name_text, run_text
from tcao_tui.tui.screens.confirm import GRACE_SECONDS
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.sentences import hanging_lines, sentence_lines
from tcao_tui.tui.widgets.text_block import fit, wrapped

_MOST_NAMED = 6
_SCROLLBAR = 1
"""Cells of a line that it takes when there is more than fits."""


class ActScreen(ModalScreen[Asked | None]):
    """Answers with what is to be done, or None.

    Args:
        asked: What is asked for, as far as it is known.
        now: Unix seconds.
        clock: Seconds that only grow.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("y", "yes", show=False),
        Binding("n,q,enter", "cancel", show=False),
    ]
    DEFAULT_CSS = """
    ActScreen {
        align: center middle;
        & #box { width: 92; max-width: 98%; height: auto; max-height: 96%; padding: 0 2; }
        & #box { background: $surface; border: round $line; }
        & #box.-warns { border: round $warning; }
        & #title { text-style: bold; }
        & #which { height: auto; max-height: 8; margin-bottom: 1; }
        & #consequences { height: auto; max-height: 12; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; margin-top: 1; }
        & Input:focus { border: none; }
        & #command { height: auto; max-height: 4; margin-top: 1; }
        & #keys { color: $foreground-muted; margin-top: 1; }
    }
    """

    def __init__(self, asked: Asked, now: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._asked, self._now, self._clock = asked, now, clock
        self._shown_at = clock()

    @property
    def _has_field(self) -> bool:
        return self._asked.takes_text

    def compose(self) -> ComposeResult:
        """What, to which, with what consequence, how else."""
        with Vertical(id="box"):
            yield Static(title_of(self._asked), id="title", markup=False)
            yield LineView(id="which")
            yield LineView(id="consequences")
            if self._has_field:
                yield Input(self._asked.text, placeholder=self._asked.placeholder, select_on_focus=False)
            yield LineView(id="command")
            yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin to type where something is typed."""
        for field in self.query(Input):
            field.focus()

    def on_resize(self, _event: events.Resize) -> None:
        """Wrap for the new width."""
        self.call_after_refresh(self._draw)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._asked = self._asked.with_text(event.value.strip())
        self._draw()

    def _draw(self) -> None:
        width = max(self.query_one("#which").size.width - _SCROLLBAR, 20)
        said = self._asked.consequences(self._now)
        self.query_one("#box").set_class(said.warns or bool(said.confirm), "-warns")
        self.query_one("#which", LineView).show(_which(self._asked.checkpoints, width, self._now))
        self.query_one("#consequences", LineView).show(_consequences(said, width))
        command: list[Line] = [((line, "muted"),) for line in wrapped(f"In a shell:  {headless(self._asked)}", width)]
        self.query_one("#command", LineView).show(command)
        self.query_one("#keys", Static).update(self._keys(said))

    def _keys(self, said: Consequences) -> str:
        if said.refusal:
            return "esc back"
        return "⏎ do it      esc leave it" if self._has_field else "y do it      n leave it (also Enter and Esc)"

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._finish()

    @property
    def takes_consent(self) -> bool:
        """Whether the question has been seen long enough."""
        return self._clock() - self._shown_at >= GRACE_SECONDS

    def action_yes(self) -> None:
        """Consent."""
        if not self._has_field and self.takes_consent:
            self._finish()

    def _finish(self) -> None:
        said = self._asked.consequences(self._now)
        if said.refusal:
            self.notify(said.refusal, severity="warning", markup=False)
        elif said.confirm and self._asked.text != said.confirm:
            self.notify(f"Type {said.confirm} to do it, or press Esc.", severity="warning", markup=False)
        else:
            self.dismiss(self._asked)

    def action_cancel(self) -> None:
        """Do nothing."""
        self.dismiss(None)


def _which(checkpoints: Sequence[ListedCheckpoint], width: int, now: float) -> list[Line]:
    """Names of the first few, each with its run and expiry."""
    lines: list[Line] = []
    for checkpoint in checkpoints[:_MOST_NAMED]:
        step = f"step {checkpoint.own.step}, " if checkpoint.own else ""
        told = f"{run_text(checkpoint)}  {step}{checkpoint.server.kind}, {expiry_text(checkpoint, now)}"
        lines.append(((f"  {fit(name_text(checkpoint), 16)} ", "strong"), (fit(told, max(width - 19, 8)), "muted")))
    if (more := len(checkpoints) - _MOST_NAMED) > 0:
        lines.append(((f"  and {more} more", "muted"),))
    return lines


def _consequences(said: Consequences, width: int) -> list[Line]:
    """A refusal, or each sentence; a sign tells warnings apart without colour."""
    if said.refusal:
        return hanging_lines(("✗ ", "bad"), said.refusal, "bad", width)
    lines = sentence_lines(said.lines, width, warning=0 if said.warns else None)
    if said.confirm:
        lines += [(), (("Type ", "text"), (said.confirm, "strong"), (" to have it done.", "text"))]
    return lines
