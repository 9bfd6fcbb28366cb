"""The open card: takes keys and typed text, and says when it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual import events
from textual.message import Message

from tcao_tui.domain.questions import Answer, Card
from tcao_tui.tui.panes.planner.card_form import CardForm, form_of
from tcao_tui.tui.panes.planner.card_lines import card_lines
from tcao_tui.tui.widgets.line_view import LineView

GRACE_SECONDS = 0.4
"""A key pressed this soon after a card came was meant for the composer."""


class CardView(LineView):
    """Shows a card while it is open.

    Args:
        clock: Seconds that only grow.
    """

    DEFAULT_CSS = """
    CardView { max-height: 60%; border-top: solid $line; }
    """

    @dataclass
    class Answered(Message):
        """The card is answered."""

        card_id: str
        answers: tuple[Answer, ...]
        defaults_for_rest: bool

    class Changed(Message):
        """Another card, question or row."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(id="card")
        self._clock = clock
        self._since = 0.0
        self.display = False
        self.form: CardForm | None = None

    @property
    def is_readable(self) -> bool:
        """Whether there was time to read it."""
        return self._clock() - self._since >= GRACE_SECONDS

    def takes_key(self, key: str) -> bool:
        """Whether a key chooses here while nothing is written."""
        return self.form is not None and self.form.takes_key(key) and self.is_readable

    def open(self, card: Card | None) -> None:
        """Show the open card; one that is being answered already stays as it is."""
        if (None if self.form is None else self.form.card) == card:
            return
        self._since = self._clock()
        self._put(None if card is None else form_of(card))
        self._tell(self.Changed)

    def _put(self, form: CardForm | None) -> None:
        self.form = form
        self.display = form is not None
        self._draw()

    def _move(self, form: CardForm) -> None:
        self._put(form)
        self._tell(self.Changed)

    def _answer(self, form: CardForm) -> None:
        self._move(form)
        if form.is_done:
            self._tell(partial(self.Answered, form.card.id, form.answers, form.defaults_for_rest))

    def press(self, key: str) -> None:
        """A key that chooses."""
        if (form := self.form) is None:
            return
        match key:
            case "up" | "down":
                self._move(form.moved(1 if key == "down" else -1))
            case "tab" | "shift+tab":
                self._move(form.turned_to(form.active + (1 if key == "tab" else -1)))
            case "space":
                self._move(form.toggled())
            case digit:
                self._answer(form.numbered(int(digit)))

    def send(self, text: str) -> None:
        """Enter, with what was written; raises `NotAnAnswer` when that does not answer the question."""
        if self.form is not None and (text or self.is_readable):
            self._answer(self.form.typed(text) if text else self.form.taken())

    def ask_again(self, where: str) -> None:
        """Take back the answer to a question, or to the one that fills a key path; the last one when it is neither."""
        if self.form is not None:
            self._put(self.form.without(where))

    def leave_rest_to_defaults(self) -> bool:
        """Answer with the defaults; False when no card is open."""
        if self.form is None:
            return False
        self._tell(partial(self.Answered, self.form.card.id, self.form.answers, defaults_for_rest=True))
        return True

    def _tell(self, make: Callable[[], Message]) -> None:
        # Textual lets a message climb no higher than the widget in whose handler it was made, so ours makes it.
        self.call_next(lambda: self.post_message(make()))

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new width."""
        super().on_resize(event)
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if self.form is not None and self.parent is not None and (width := self.container_size.width):
            lines, at = card_lines(self.form, width - 1)
            self.show(lines)
            self.move_to(at)
