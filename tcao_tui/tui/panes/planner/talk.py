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
from tcao_tui.tui.panes.planner.card_form import NotAnAnswer
from tcao_tui.tui.panes.planner.card_view import CardView
from tcao_tui.tui.panes.planner.commands import Command, command_of, is_command
from tcao_tui.tui.panes.planner.history import words_of_person
from tcao_tui.tui.panes.planner.status_line import Status, status_line
from tcao_tui.tui.panes.planner.transcript import Transcript
from tcao_tui.tui.widgets.composer import Composer
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.offers import Offer, Offers
from tcao_tui.tui.widgets.text_block import fit


class Talk(Widget):
    """Left side of the planner's pane.

    Args:
        complete: Completions for the composer, called in a thread.
        clock: Seconds that only grow.
    """

    DEFAULT_CSS = """
    Talk {
        layout: vertical;
        & #status { height: 1; margin-top: 1; }
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
    class Commanded(Message):
        """A slash command."""

        command: Command
        argument: str

    class SentNothing(Message):
        """Enter on an empty line, with no card open."""

    def __init__(self, complete: Callable[[str, int], Offers], clock: Callable[[], float]) -> None:
        super().__init__(id="talk")
        self._complete = complete
        self._clock = clock
        self._status = Status()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Transcript()
        yield CardView(self._clock)
        yield LineView(id="status")
        yield LineView(id="offers")
        with Horizontal(id="line"):
            yield Static("❯", id="prompt", markup=False)
            yield Composer(self._complete)

    def on_mount(self) -> None:
        """Let the card have keys that the composer does not need."""
        self.composer.is_card_key = self.card.takes_key

    @property
    def composer(self) -> Composer:
        """Where the person writes."""
        return self.query_one(Composer)

    @property
    def transcript(self) -> Transcript:
        """What was said."""
        return self.query_one(Transcript)

    @property
    def card(self) -> CardView:
        """The open card."""
        return self.query_one(CardView)

    async def show(self, state: InterviewState) -> None:
        """Show what is new."""
        await self.transcript.take(state.transcript)
        self.composer.earlier.learn(words_of_person(state.transcript))
        self.card.open(state.open_card)
        self.composer.placeholder = "say something" if state.open_card is None else "your answer"

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

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the new width."""
        self.call_after_refresh(self._draw_status)

    @on(Composer.CardKey)
    def _card_key(self, event: Composer.CardKey) -> None:
        event.stop()
        self.card.press(event.key)

    @on(Composer.Paged)
    def _paged(self, event: Composer.Paged) -> None:
        event.stop()
        self.transcript.scroll_pages(event.by)

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        event.stop()
        if is_command(event.text):
            self._command(event.text)
        elif self.card.form is None:
            self.post_message(self.Spoke(event.text) if event.text else self.SentNothing())
        else:
            try:
                self.card.send(event.text)
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

    def give_back(self, text: str) -> None:
        """Put words that were not sent into the composer, before what stands there."""
        if text:
            self.composer.put("\n".join(part for part in (text, self.composer.text) if part))

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
