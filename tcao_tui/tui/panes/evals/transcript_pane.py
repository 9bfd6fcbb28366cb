"""Transcripts: one sample in full, or beside that of another subject, with what differs marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.transcript import Transcript
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.panes.evals.transcript_lines import Reading, alike_turns, head_line, transcript_lines
from tcao_tui.tui.ring import next_in
from tcao_tui.tui.widgets.flow_view import FlowView
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.text_block import fit

WIDE_FROM = 100
"""Cells across from which two transcripts stand side by side."""

_PAGE = 0.8


@dataclass(frozen=True, slots=True)
class Place:
    """One transcript: whose, of which item, which of its answers from 1."""

    subject: str
    item: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Reader:
    """What is read.

    Attributes:
        items: Those that can be gone to, in order.
        index: The one that is read.
        subject: Whose answer; `others` are those it can be held against, the base first.
        beside: The one it is held against; empty for none.
        epoch: Which answer to the item, from 1.
    """

    items: Sequence[str]
    index: int
    subject: str
    others: Sequence[str] = ()
    beside: str = ""
    epoch: int = 1

    @property
    def item(self) -> str:
        """The sample that is read."""
        return self.items[self.index]

    @property
    def places(self) -> Sequence[Place]:
        """From left to right."""
        subjects = (self.beside, self.subject) if self.beside else (self.subject,)
        return [Place(subject, self.item, self.epoch) for subject in subjects]

    def step(self, by: int) -> Reader:
        """At another sample."""
        return replace(self, index=min(max(self.index + by, 0), len(self.items) - 1), epoch=1)

    def next_beside(self) -> Reader:
        """Held against the next subject; after the last, against none."""
        return replace(self, beside=next_in(("", *self.others), self.beside))


class TranscriptPane(Widget):
    """One sample, alone or side by side.

    Args:
        reader: What to begin with.
        names: Short names of subjects.
        epochs: How many answers there are to an item.
        value: What a subject got for an item, for people.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.TRANSCRIPT)]
    DEFAULT_CSS = """
    TranscriptPane {
        height: 1fr; layout: vertical;
        & #title { height: 1; }
        & #both { height: 1fr; layout: vertical; }
        & .column { height: 1fr; layout: vertical; }
        & .name { height: 1; background: $panel; }
        & FlowView { height: 1fr; }
        & #left { display: none; }
        &.-beside #left { display: block; }
        &.-wide #both { layout: horizontal; }
        &.-wide .column { width: 1fr; }
        &.-wide.-beside #right { border-left: solid $line; }
    }
    """

    class Left(Message):
        """The person wants to go back to the samples."""

    @dataclass
    class Wanted(Message):
        """These transcripts are needed."""

        places: Sequence[Place]

    def __init__(
        self,
        reader: Reader,
        names: Mapping[str, str],
        epochs: Callable[[str], int],
        value: Callable[[str, str], str],
    ) -> None:
        super().__init__()
        self.can_focus = True
        self.reader = reader
        self._names, self._epochs, self._value = names, epochs, value
        self._read: dict[Place, Transcript | str] = {}
        self._unfolded = False

    def compose(self) -> ComposeResult:
        """Title and two columns."""
        yield LineView(id="title")
        with Container(id="both"):
            for side in ("left", "right"):
                with Vertical(id=side, classes="column"):
                    yield LineView(classes="name")
                    yield FlowView(lambda _width: ())

    def on_mount(self) -> None:
        """Take the keys and ask for what is read."""
        self.focus()
        self._go(self.reader)

    def _go(self, reader: Reader) -> None:
        self.reader = reader
        self.set_class(bool(reader.beside), "-beside")
        if missing := [place for place in reader.places if place not in self._read]:
            self.post_message(self.Wanted(missing))
        self.call_after_refresh(self._draw)
        self._scroll_all(0)

    def take(self, place: Place, found: Transcript | str) -> None:
        """Take a transcript, or why there is none."""
        self._read[place] = found
        self._draw()

    @property
    def is_filled(self) -> bool:
        """Whether everything that is wanted has been read."""
        return all(place in self._read for place in self.reader.places)

    def on_resize(self, event: events.Resize) -> None:
        """Side by side where there is room."""
        self.set_class(event.size.width >= WIDE_FROM, "-wide")
        self.call_after_refresh(self._draw)

    def _reading(self, place: Place) -> Reading:
        found = self._read.get(place)
        name, value = self._names.get(place.subject, place.subject), self._value(place.subject, place.item)
        if isinstance(found, str):
            return Reading(name, None, found, value)
        return Reading(name, found, "", value)

    def _draw(self) -> None:
        width = self.size.width
        if not width:
            return
        self.query_one("#title", LineView).show([self._title(width)])
        readings = [self._reading(place) for place in self.reader.places]
        transcripts = [reading.read for reading in readings]
        alike = 0
        if len(transcripts) == 2 and transcripts[0] is not None and transcripts[1] is not None:
            alike = alike_turns(transcripts[0], transcripts[1])
        for side, reading, other in zip(
            ("left", "right") if len(readings) == 2 else ("right",),
            readings,
            reversed(transcripts) if len(readings) == 2 else [None],
            strict=True,
        ):
            self._draw_column(side, reading, alike, other)

    def _draw_column(self, side: str, reading: Reading, alike: int, other: Transcript | None) -> None:
        column = self.query_one(f"#{side}")
        name, view = column.query_one(".name", LineView), column.query_one(FlowView)
        name.show([head_line(reading, name.size.width or self.size.width)])
        unfolded = self._unfolded
        view.remake(lambda width: transcript_lines(reading, width, unfolded=unfolded, alike=alike, other=other))

    def _title(self, width: int) -> Line:
        reader = self.reader
        epochs = self._epochs(reader.item)
        parts = [f"sample {reader.index + 1:,} of {len(reader.items):,}"]
        parts += [f"answer {reader.epoch} of {epochs}"] if epochs > 1 else []
        parts += ["▌ differs"] if reader.beside else []
        facts = " · ".join(parts)
        return ((f" {fit(reader.item, max(width - len(facts) - 5, 8)).rstrip()}  ", "strong"), (facts, "muted"))

    def _views(self) -> Sequence[FlowView]:
        return [view for view in self.query(FlowView) if view.display]

    def _scroll_all(self, y: int) -> None:
        for view in self._views():
            view.scroll_to(y=y, animate=False, immediate=True)

    def action_scroll(self, by: int) -> None:
        """Scroll both."""
        for view in self._views():
            view.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """Scroll both by a page."""
        for view in self._views():
            view.scroll_lines(by * max(int(view.size.height * _PAGE), 1))

    def action_sample(self, by: int) -> None:
        """Go to another sample."""
        self._go(self.reader.step(by))

    def action_beside(self) -> None:
        """Hold it against the next subject, then against none."""
        self._go(self.reader.next_beside())

    def action_epoch(self) -> None:
        """The next answer to the same sample."""
        epochs = self._epochs(self.reader.item)
        self._go(replace(self.reader, epoch=self.reader.epoch % epochs + 1))

    def action_fold(self) -> None:
        """Unfold reasoning and what is alike, or fold it."""
        self._unfolded = not self._unfolded
        self._draw()

    def action_back(self) -> None:
        """Leave."""
        self.post_message(self.Left())
