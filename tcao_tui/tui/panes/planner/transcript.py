"""The conversation on screen: a window of blocks that slides, so that its cost does not grow with the talk.

What the planner says is Markdown, streamed while it comes; everything else is lines of text. Old blocks leave the
screen and come back when one scrolls up to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from tcao_tui.domain.interview import StoredEntry
from tcao_tui.tui.panes.planner.block_lines import asked_lines, note_lines, tool_lines, words_lines
from tcao_tui.tui.panes.planner.blocks import AskedCard, Block, Blocks, Note, ToolCall, Words
from tcao_tui.tui.panes.planner.reply import Reply
from tcao_tui.tui.panes.planner.tool_view import ToolView
from tcao_tui.tui.widgets.flow_view import FlowView
from tcao_tui.tui.widgets.line_view import Line

MOST_BLOCKS = 100
"""Blocks on screen at any time."""

_STEP = 40
"""Blocks that the window slides by."""


class Transcript(VerticalScroll):
    """Shows the blocks of an interview, the newest in sight unless the person scrolled up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", show=False),
        Binding("down,j", "step(1)", show=False),
    ]
    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-color: $line;
        scrollbar-background: $background;
        & > FlowView, & > Reply { margin-top: 1; }
        & > .-close, & > #earlier, & > #later { margin-top: 0; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="transcript", can_focus=False)
        self._blocks = Blocks()
        self._first, self._past = 0, 0
        self._views: dict[int, Widget] = {}
        self._live: Reply | None = None
        self._sliding = False

    def compose(self) -> list[Widget]:
        """Marks for what is not on screen."""
        return [FlowView(self._earlier, id="earlier"), FlowView(self._later, id="later")]

    def on_mount(self) -> None:
        """Stay at the end."""
        self.anchor()

    @property
    def blocks(self) -> Sequence[Block]:
        """All blocks, on screen or not."""
        return self._blocks.all

    @property
    def mounted(self) -> int:
        """Blocks on screen."""
        return len(self._views)

    async def write(self, text: str) -> None:
        """More of the planner's words, before they are on record."""
        if self._live is None:
            self._live = Reply()
            self._live.set_class(self._is_close(len(self.blocks)), "-close")
            await self.mount(self._live, before="#later")
        await self._live.write(text)

    async def take(self, transcript: Sequence[StoredEntry]) -> None:
        """Show what is new on record."""
        was_complete = self._past == len(self.blocks)
        changed = self._blocks.take(transcript)
        for place in sorted(changed):
            if (view := self._views.get(place)) is not None:
                self._update(view, self.blocks[place])
        if was_complete:
            await self._show(max(self._first, len(self.blocks) - MOST_BLOCKS), len(self.blocks))
        else:
            self._mark()

    async def drop_reply(self) -> None:
        """Words that will not come on record go: the turn is over, or the model starts it anew."""
        live, self._live = self._live, None
        if live is not None:
            await live.end()
            await live.remove()

    def progress(self, call_id: str, text: str) -> None:
        """How far a running tool is."""
        for view in self._views.values():
            if isinstance(view, ToolView) and view.call.call_id == call_id:
                view.show_progress(text)

    async def _show(self, first: int, past: int) -> None:
        """Put exactly these blocks on screen."""
        for place in [place for place in self._views if not first <= place < past]:
            await self._views.pop(place).remove()
        ahead = [place for place in range(first, min(self._first, past)) if place not in self._views]
        behind = [place for place in range(max(first, self._first), past) if place not in self._views]
        old_first = next(iter(sorted(self._views)), None)
        if ahead and old_first is not None:
            await self.mount_all([self._view(place) for place in ahead], before=self._views[old_first])
        else:
            behind = [*ahead, *behind]
        for place in behind:
            await self._add_last(place)
        self._first, self._past = first, past
        self._mark()

    async def _add_last(self, place: int) -> None:
        block = self.blocks[place]
        live, self._live = self._live, None
        if live is not None and isinstance(block, Words) and block.who == "planner":
            await live.end(block.text)
            self._views[place] = live
            return
        self._live = live
        await self.mount(self._view(place), before="#later" if live is None else live)

    def _view(self, place: int) -> Widget:
        block = self.blocks[place]
        match block:
            case Words(who="planner", text=text):
                view: Widget = Reply(text)
            case ToolCall():
                view = ToolView(block)
            case _:
                view = FlowView(_lines_of(block))
        view.set_class(self._is_close(place), "-close")
        self._views[place] = view
        return view

    def _is_close(self, place: int) -> bool:
        """Whether a block needs no line above it: a reply ends in one, and tools and notes stand together."""
        before = self.blocks[place - 1] if place else None
        block = self.blocks[place] if place < len(self.blocks) else None
        after_reply = isinstance(before, Words) and before.who == "planner"
        return before is None or after_reply or (isinstance(before, ToolCall | Note) and type(before) is type(block))

    def _update(self, view: Widget, block: Block) -> None:
        match view, block:
            case ToolView(), ToolCall():
                view.take(block)
            case FlowView(), _:
                view.remake(_lines_of(block))
            case _:
                pass

    def _mark(self) -> None:
        for view, make in (("#earlier", self._earlier), ("#later", self._later)):
            self.query_one(view, FlowView).remake(make)

    def _earlier(self, _width: int) -> list[Line]:
        return [((f" ⋮ {self._first:,} earlier", "muted"),)] if self._first else []

    def _later(self, _width: int) -> list[Line]:
        count = len(self.blocks) - self._past
        return [((f" ⋮ {count:,} later: End shows them", "muted"),)] if count else []

    def scroll_pages(self, by: float) -> None:
        """Scroll by pages, up when negative; past the window it slides on."""
        self.scroll_to(y=self.scroll_offset.y + by * max(self.size.height - 2, 1), animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Slide the window when its end comes in sight."""
        super().watch_scroll_y(old_value, new_value)
        if self._sliding:
            return
        if new_value <= 0 < old_value and self._first > 0:
            self._slide(-_STEP)
        elif new_value >= self.max_scroll_y > 0 and self._past < len(self.blocks):
            self._slide(_STEP)

    def _slide(self, by: int) -> None:
        self._sliding = True
        self.call_next(self._slide_now, by)

    async def _slide_now(self, by: int) -> None:
        if by < 0:
            first = max(self._first + by, 0)
            past, anchor = min(first + MOST_BLOCKS, len(self.blocks)), self._first
        else:
            past = min(self._past + by, len(self.blocks))
            first, anchor = max(past - MOST_BLOCKS, 0), self._past - 1
        view = self._views.get(anchor)
        async with self.batch():
            await self._show(first, past)
            if view is not None:
                self.call_after_refresh(partial(self._settle, view, top=by < 0))

    def _settle(self, view: Widget, *, top: bool) -> None:
        if view.is_mounted:
            self.scroll_to_widget(view, animate=False, top=top, immediate=True, force=True)
        self._sliding = False

    async def show_end(self) -> None:
        """The newest blocks again."""
        if self._past < len(self.blocks):
            await self._show(max(len(self.blocks) - MOST_BLOCKS, 0), len(self.blocks))
        self.anchor()

    def action_step(self, by: int) -> None:
        """Move the focus to the tool before or after."""
        tools = list(self.query(ToolView))
        focused = self.screen.focused
        place = tools.index(focused) if isinstance(focused, ToolView) and focused in tools else len(tools)
        if 0 <= place + by < len(tools):
            tools[place + by].focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keep the focused tool in sight."""
        self.scroll_to_widget(event.widget, animate=False)


def _lines_of(block: Block) -> partial[list[Line]]:
    match block:
        case Words():
            return partial(words_lines, block)
        case AskedCard():
            return partial(asked_lines, block)
        case ToolCall():
            return partial(tool_lines, block)
        case Note():
            return partial(note_lines, block)
