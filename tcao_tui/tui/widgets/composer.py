"""Where the person writes: grows with the text, remembers, completes. Enter sends, ^J makes a new line.

While it is empty, keys that choose (arrows, digits, space, Tab) go to the open card; as soon as something is written,
they are text again, so that no question ever takes a keystroke away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tcao_tui.domain.plain_text import plain_text
from tcao_tui.tui.widgets.history import History
from tcao_tui.tui.widgets.offers import Offer, Offers


class Composer(TextArea):
    """The person's line.

    Args:
        complete: Completions for a line and the place of the cursor in it; called in a thread.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+j,shift+enter", "newline", show=False)]
    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 1;
        max-height: 6;
        border: none;
        padding: 0 1 0 0;
        background: $surface;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & .text-area--placeholder { color: $foreground-muted; }
        & .text-area--cursor-line { background: transparent; }
    }
    """

    @dataclass
    class Sent(Message):
        """Enter, with what was written; empty when nothing was."""

        text: str

    @dataclass
    class CardKey(Message):
        """A key for the open card."""

        key: str

    @dataclass
    class Paged(Message):
        """The person scrolls by pages, up when negative."""

        by: int

    @dataclass
    class Offered(Message):
        """Other completions, or another one of them is chosen."""

        offers: tuple[Offer, ...]
        chosen: int

    def __init__(self, complete: Callable[[str, int], Offers]) -> None:
        super().__init__(
            id="composer", compact=True, show_line_numbers=False, soft_wrap=True, highlight_cursor_line=False
        )
        self.cursor_blink = False
        self._complete = complete
        self._offers = Offers(0)
        self._offered_at = ("", 0)
        self._chosen = 0
        self.earlier = History()
        self.is_card_key: Callable[[str], bool] = lambda _key: False

    def on_key(self, event: events.Key) -> None:
        """Enter sends; the rest depends on what is written and offered."""
        if self.is_offering and self._offer_key(event.key):
            pass
        elif not self.text and self.is_card_key(event.key):
            self.post_message(self.CardKey(event.key))
        elif event.key == "enter":
            self._send()
        elif event.key in ("pageup", "pagedown"):
            self.post_message(self.Paged(-1 if event.key == "pageup" else 1))
        elif event.key in ("up", "down") and self._walk(-1 if event.key == "up" else 1):
            pass
        else:
            return
        event.stop()
        event.prevent_default()

    @property
    def is_offering(self) -> bool:
        """Whether there are completions of what is written now."""
        return bool(self._offers.offers) and self._offered_at == self._place

    def action_newline(self) -> None:
        """A line break."""
        self.insert("\n")

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted is foreign too."""
        event.text = plain_text(event.text)

    def put(self, text: str) -> None:
        """Replace what is written."""
        self.text = plain_text(text)
        self.move_cursor(self.document.end)

    def _send(self) -> None:
        text = self.text.strip()
        if text:
            self.earlier.add(text)
        self.text = ""
        self.post_message(self.Sent(text))

    def _walk(self, by: int) -> bool:
        row = self.cursor_location[0]
        at_edge = row == 0 if by < 0 else row == self.document.line_count - 1
        if not at_edge or not (not self.text or self.earlier.is_walking):
            return False
        text = self.earlier.walked(by, self.text)
        if text is not None:
            self.put(text)
        return text is not None

    def _offer_key(self, key: str) -> bool:
        count = len(self._offers.offers)
        match key:
            case "up" | "down":
                self._choose((self._chosen + (1 if key == "down" else -1)) % count)
            case "tab":
                self._take_offer()
            case "enter" if self._would_change():
                self._take_offer()
                if self.text.startswith("/") and " " not in self.text:
                    self._send()
            case "escape":
                self._offer(Offers(0))
            case _:
                return False
        return True

    @property
    def _place(self) -> tuple[str, int]:
        """The line with the cursor, and the characters before it."""
        row, column = self.cursor_location
        return self.document.get_line(row), column

    def _would_change(self) -> bool:
        line, column = self._place
        return line[self._offers.start : column] != self._offers.offers[self._chosen].text

    def _take_offer(self) -> None:
        row, column = self.cursor_location
        offer = self._offers.offers[self._chosen]
        self.replace(offer.text, (row, self._offers.start), (row, column))

    def _choose(self, place: int) -> None:
        self._chosen = place
        self.post_message(self.Offered(self._offers.offers, place))

    def _offer(self, offers: Offers) -> None:
        if offers.offers or self._offers.offers:
            self._offers, self._chosen = offers, 0
            self.post_message(self.Offered(offers.offers, 0))

    def on_text_area_changed(self) -> None:
        """Look for completions."""
        if self.text:
            self.run_worker(self._look(), group="offers", exclusive=True, exit_on_error=False)
        else:
            self._offer(Offers(0))

    async def _look(self) -> None:
        place = self._place
        offers = await asyncio.to_thread(self._complete, *place)
        if self._place == place:  # offers for what stood there before would replace what was typed since
            self._offered_at = place
            self._offer(offers)
