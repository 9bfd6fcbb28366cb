"""The conversation: transcript, open card, status, composer. Draws a state and says what the person wants; no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.questions import Answer, Card
from tcao_tui.tui.panes.planner.card_form import CardForm, NotAnAnswer, form_of
from tcao_tui.tui.panes.planner.card_lines import card_lines
from tcao_tui.tui.panes.planner.commands import Command, command_of, is_command
from tcao_tui.tui.panes.planner.completion import Offer, Offers
from tcao_tui.tui.panes.planner.composer import Composer
from tcao_tui.tui.panes.planner.history import words_of_person
from tcao_tui.tui.panes.planner.status_line import Status, status_line
from tcao_tui.tui.panes.planner.transcript import Transcript
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.text_block import fit

CARD_GRACE_SECONDS = 0.4
"""A key pressed this soon after a card came was meant for the composer."""


class Talk(Widget):
    """Left side of the planner's pane.

    Args:
        complete: Completions for the composer, called in a thread.
        clock: Seconds that only grow.
    """

    DEFAULT_CSS = """
    Talk {
        layout: vertical;
        & #card { height: auto; max-height: 60%; border-top: solid $line; }
        & #status { height: 1; margin-top: 1; }
        & #card.-open { margin-top: 1; }
        & #offers { height: auto; max-height: 12; background: $surface; }
        & #line { height: auto; background: $surface; }
        & #prompt { width: 3; padding: 0 1; color: $primary; }
    }
    """

    @dataclass
    class Spoke(Message):
        """Words that answer no question."""

        text: str

    @dataclass
    class Answered(Message):
        """The open card is answered."""

        card_id: str
        answers: tuple[Answer, ...]
        defaults_for_rest: bool

    @dataclass
    class Commanded(Message):
        """A slash command."""

        command: Command
        argument: str

    class FormChanged(Message):
        """Another question or row is chosen."""

    class SentNothing(Message):
        """Enter on an empty line, with no card open."""

    def __init__(self, complete: Callable[[str, int], Offers], clock: Callable[[], float]) -> None:
        super().__init__(id="talk")
        self._complete = complete
        self._clock = clock
        self._form: CardForm | None = None
        self._card_since = 0.0
        self._status = Status()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Transcript()
        yield LineView(id="card")
        yield LineView(id="status")
        yield LineView(id="offers")
        with Horizontal(id="line"):
            yield Static("❯", id="prompt", markup=False)
            yield Composer(self._complete)

    def on_mount(self) -> None:
        """Let the card have keys that the composer does not need."""
        self.composer.is_card_key = self._is_card_key
        self.query_one("#card").display = False

    @property
    def composer(self) -> Composer:
        """Where the person writes."""
        return self.query_one(Composer)

    @property
    def transcript(self) -> Transcript:
        """What was said."""
        return self.query_one(Transcript)

    @property
    def form(self) -> CardForm | None:
        """The open card as far as it is answered."""
        return self._form

    async def show(self, state: InterviewState) -> None:
        """Show what is new."""
        transcript = state.transcript
        if state.open_card is not None and transcript and transcript[-1].entry.kind == "asked":
            transcript = transcript[:-1]  # the open card stands below, where it is answered
        await self.transcript.take(transcript)
        self.composer.earlier.learn(words_of_person(state.transcript))
        self._show_card(state.open_card)

    def _show_card(self, card: Card | None) -> None:
        if card is not None and self._form is not None and self._form.card.id == card.id:
            return
        self._form = None if card is None else form_of(card)
        self._card_since = self._clock()
        self._draw_form()

    def tell(self, status: Status) -> None:
        """Show what happens."""
        self._status = status
        self._draw_status()

    def warn(self, problem: str) -> None:
        """Say what is wrong with what was written."""
        view = self.query_one("#status", LineView)
        view.show([status_line(Status(problem=problem), view.size.width or 80)])

    def _draw_status(self) -> None:
        view = self.query_one("#status", LineView)
        view.show([status_line(self._status, view.size.width or 80)])

    def _draw_form(self) -> None:
        view = self.query_one("#card", LineView)
        view.display = self._form is not None
        self.composer.placeholder = "your answer" if self._form is not None else "say something"
        if self._form is not None and (width := self.size.width):
            lines, at = card_lines(self._form, width - 1)
            view.show(lines)
            view.move_to(at)

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the new width."""
        self.call_after_refresh(self._draw_form)
        self.call_after_refresh(self._draw_status)

    @property
    def _is_readable(self) -> bool:
        return self._clock() - self._card_since >= CARD_GRACE_SECONDS

    def _is_card_key(self, key: str) -> bool:
        return self._form is not None and self._form.takes_key(key) and self._is_readable

    @on(Composer.CardKey)
    def _card_key(self, event: Composer.CardKey) -> None:
        event.stop()
        if (form := self._form) is None:
            return
        match event.key:
            case "up" | "down":
                self._answer(form.moved(1 if event.key == "down" else -1))
            case "tab" | "shift+tab":
                self._answer(form.turned_to(form.active + (1 if event.key == "tab" else -1)))
            case "space":
                self._answer(form.toggled())
            case digit:
                self._answer(form.numbered(int(digit)))

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        event.stop()
        if is_command(event.text):
            self._command(event.text)
        elif self._form is None:
            self.post_message(self.Spoke(event.text) if event.text else self.SentNothing())
        elif not event.text:
            self._answer(self._form.taken() if self._is_readable else self._form)
        else:
            try:
                self._answer(self._form.typed(event.text))
            except NotAnAnswer as problem:
                self.composer.put(event.text)
                self.warn(str(problem))

    def _command(self, text: str) -> None:
        command, argument = command_of(text)
        if command is None:
            self.composer.put(text)
            self.warn(f"no such command: {text.split()[0]}; /help lists them")
        else:
            self.post_message(self.Commanded(command, argument))

    def _answer(self, form: CardForm) -> None:
        self._form = form
        self._draw_form()
        self.post_message(self.FormChanged())
        if form.is_done:
            self.post_message(self.Answered(form.card.id, form.answers, form.defaults_for_rest))

    def give_back(self, text: str) -> None:
        """Put words that were not sent into the composer, before what stands there."""
        if text:
            self.composer.put("\n".join(part for part in (text, self.composer.text) if part))

    def ask_again(self, where: str, problem: str) -> None:
        """An answer to the open card does not fit; say why and let the person give another.

        Args:
            where: The question, or a key path that it fills; the last question when it is neither.
            problem: For the person.
        """
        if self._form is not None:
            self._form = self._form.without(where)
            self._draw_form()
        self.warn(problem)

    def leave_rest_to_defaults(self) -> bool:
        """Answer the open card with the defaults; False when none is open."""
        if self._form is None:
            return False
        self.post_message(self.Answered(self._form.card.id, self._form.answers, defaults_for_rest=True))
        return True

    @on(Composer.Offered)
    def _offered(self, event: Composer.Offered) -> None:
        event.stop()
        self.query_one("#offers", LineView).show(_offer_lines(event.offers, event.chosen, self.size.width))


def _offer_lines(offers: Sequence[Offer], chosen: int, width: int) -> list[Line]:
    room = min(max((len(offer.label) for offer in offers), default=0), max(width - 8, 8))
    lines: list[Line] = []
    for place, offer in enumerate(offers):
        mark, ink = (" ❯ ", "strong") if place == chosen else ("   ", "text")
        hint = fit(offer.hint, max(width - room - 6, 1)).rstrip() if offer.hint else ""
        lines.append(((mark, "info"), (fit(offer.label, room), ink), (f"  {hint}", "muted")))
    return lines
