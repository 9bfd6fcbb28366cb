"""The conversation on screen: a window of blocks that slides, so that its cost does not grow with the talk.

What the planner says is Markdown, streamed while it comes; everything else is lines of text. Old blocks leave the
screen and come back when one scrolls up to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from tcao_tui.domain.interview import StoredEntry
from tcao_tui.tui.panes.planner.block_views import update_view, view_of
from tcao_tui.tui.panes.planner.blocks import Block, Blocks, Words, is_close, is_said
from tcao_tui.tui.panes.planner.reply import Reply
from tcao_tui.tui.panes.planner.tool_view import ToolView
from tcao_tui.tui.widgets.flow_view import FlowView
from tcao_tui.tui.widgets.line_view import Line

MOST_BLOCKS = 100
"""Blocks on screen at any time."""

_STEP = 40
"""Blocks that the window slides by."""


class Transcript(VerticalScroll):
    """Shows the blocks of an interview, the newest in sight unless the person scrolled up.

    Attributes:
        first, past: Places of the first block on screen and of the one after the last.
        is_sliding: Whether other blocks are being put on screen.
    """

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
        self.first, self.past = 0, 0
        self._views: dict[int, Widget] = {}
        self._live: Reply | None = None
        self.is_sliding = False
        self._arranging = asyncio.Lock()

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
        async with self._arranging:
            if self._live is None:
                self._live = Reply()
                self._live.set_class(is_close(self.blocks, len(self.blocks)), "-close")
                await self.mount(self._live, before="#later")
            await self._live.write(text)

    async def take(self, transcript: Sequence[StoredEntry]) -> None:
        """Show what is new on record."""
        async with self._arranging:
            was_complete = self.past == len(self.blocks)
            for place in self._blocks.take(transcript):
                if (view := self._views.get(place)) is not None:
                    update_view(view, self.blocks[place])
            if was_complete:
                await self._show(max(self.first, len(self.blocks) - MOST_BLOCKS), len(self.blocks))
            else:
                self._mark()

    async def drop_reply(self) -> None:
        """Words that will not come on record go: the turn is over, or the model starts it anew."""
        async with self._arranging:
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
        """Put exactly these blocks on screen; only while holding `_arranging`, as different pumps call it."""
        gone = [place for place in self._views if not first <= place < past]
        await self.remove_children([self._views.pop(place) for place in gone])
        new = [place for place in range(first, past) if place not in self._views]
        top = min(self._views, default=0)
        if ahead := [place for place in new if place < top]:
            await self._mount(ahead, self._views[top])
        await self._add_last([place for place in new if place >= top])
        self.first, self.past = first, past
        self._mark()

    async def _add_last(self, places: Sequence[int]) -> None:
        """New blocks at the end; the reply that streamed becomes the view of the words that came on record."""
        live = self._live
        said = next((place for place in places if is_said(self.blocks[place])), None)
        if live is None or said is None:
            await self._mount(places, live or "#later")
            return
        await self._mount([place for place in places if place < said], live)
        self._views[said], self._live = live, None
        await live.end(block.text if isinstance(block := self.blocks[said], Words) else None)
        await self._mount([place for place in places if place > said], "#later")

    async def _mount(self, places: Sequence[int], before: Widget | str) -> None:
        if places:
            await self.mount_all([self._view(place) for place in places], before=before)

    def _view(self, place: int) -> Widget:
        view = self._views[place] = view_of(self.blocks[place])
        view.set_class(is_close(self.blocks, place), "-close")
        return view

    def _mark(self) -> None:
        for view, make in (("#earlier", self._earlier), ("#later", self._later)):
            self.query_one(view, FlowView).remake(make)

    def _earlier(self, _width: int) -> list[Line]:
        return [((f" ⋮ {self.first:,} earlier", "muted"),)] if self.first else []

    def _later(self, _width: int) -> list[Line]:
        count = len(self.blocks) - self.past
        return [((f" ⋮ {count:,} later: End shows them", "muted"),)] if count else []

    def scroll_pages(self, by: float) -> None:
        """Scroll by pages, up when negative; past the window it slides on."""
        self.scroll_to(y=self.scroll_offset.y + by * max(self.size.height - 2, 1), animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Slide the window when its end comes in sight."""
        super().watch_scroll_y(old_value, new_value)
        if self.is_sliding:
            return
        if new_value <= 0 < old_value and self.first > 0:
            self._slide(-_STEP)
        elif new_value >= self.max_scroll_y > 0 and self.past < len(self.blocks):
            self._slide(_STEP)

    def _slide(self, by: int) -> None:
        self.is_sliding = True
        self.call_next(self._slide_now, by)

    async def _slide_now(self, by: int) -> None:
        if by < 0:
            first = max(self.first + by, 0)
            past, anchor = min(first + MOST_BLOCKS, len(self.blocks)), self.first
        else:
            past = min(self.past + by, len(self.blocks))
            first, anchor = max(past - MOST_BLOCKS, 0), self.past - 1
        view = self._views.get(anchor)
        async with self._arranging, self.batch():
            await self._show(first, past)
            self.call_after_refresh(self._settle, view, by < 0)

    def _settle(self, view: Widget | None, at_top: bool) -> None:
        if view is not None and view.is_mounted:
            self.scroll_to_widget(view, animate=False, top=at_top, immediate=True, force=True)
        self.is_sliding = False

    async def show_end(self) -> None:
        """The newest blocks again."""
        async with self._arranging:
            if self.past < len(self.blocks):
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
