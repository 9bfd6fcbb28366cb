"""The answers: one column for each contender, or one of them at a time where there is no room."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.chat import Conversation
from tcao_tui.tui.panes.chat.lines import ColumnLines, Pending, name_of, tab_spans
from tcao_tui.tui.widgets.flow_view import FlowView
from tcao_tui.tui.widgets.line_view import Line, LineView

SIDE_BY_SIDE_FROM = 100
"""Cells across from which several columns are shown."""


class ChatColumn(Widget):
    """One contender.

    Args:
        column: Its place, from 0.
    """

    DEFAULT_CSS = """
    ChatColumn {
        width: 1fr;
        layout: vertical;
        & > .name { height: 1; background: $panel; }
        & > FlowView { height: 1fr; }
        &.-next { border-left: solid $line; }
    }
    """

    def __init__(self, column: int) -> None:
        super().__init__(classes="-next" if column else "")
        self._column = column
        self._lines = ColumnLines()
        self._put_at = 0

    def compose(self) -> ComposeResult:
        """The name and what was said."""
        yield LineView(classes="name")
        yield FlowView(lambda width: ())

    @property
    def text(self) -> FlowView:
        """What was said."""
        return self.query_one(FlowView)

    def show(self, conversation: Conversation, pending: Pending | None, name: Line) -> None:
        """Show what was said, the newest prompt and what follows it in sight, unless the person scrolled away."""
        self.query_one(".name", LineView).show([name])
        self.text.remake(lambda width: self._lines.of(conversation, self._column, pending, width))
        if self.text.scroll_offset.y == self._put_at:
            self.call_after_refresh(self.follow)

    def follow(self) -> None:
        """Scroll to the newest prompt: the end, or the beginning of an answer that is longer than the column."""
        view = self.text
        view.scroll_to(y=min(self._lines.last_prompt, view.max_scroll_y), animate=False, immediate=True)
        self._put_at = view.scroll_offset.y


class ChatColumns(Widget):
    """All columns; keys move between them and scroll them together.

    Args:
        count: How many.
    """

    DEFAULT_CSS = """
    ChatColumns {
        height: 1fr;
        layout: vertical;
        & > #tabs { height: 1; background: $panel; display: none; }
        & > Horizontal { height: 1fr; }
        &.-tabs > #tabs { display: block; }
        &.-tabs ChatColumn { display: none; border-left: none; }
        &.-tabs ChatColumn.-chosen { display: block; }
        &.-tabs ChatColumn .name { display: none; }
    }
    """

    class Chose(Message):
        """Another column is chosen."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.can_focus = True
        self._count = count
        self._conversation: Conversation | None = None
        self._pending: Pending | None = None
        self.chosen = 0

    def compose(self) -> ComposeResult:
        """Tabs and columns."""
        yield LineView(id="tabs")
        with Horizontal():
            for column in range(self._count):
                yield ChatColumn(column)

    def show(self, conversation: Conversation, pending: Pending | None) -> None:
        """Show a conversation."""
        self._conversation, self._pending = conversation, pending
        self._draw()

    @property
    def is_hiding(self) -> bool:
        """Whether it is hidden who answers what is shown last."""
        conversation = self._conversation
        if conversation is None or not conversation.is_blind:
            return False
        return self._pending is not None or conversation.hides_names

    def _draw(self) -> None:
        conversation = self._conversation
        if conversation is None or not self.size.width:
            return
        names = {column: name_of(conversation, column, is_hidden=self.is_hiding) for column in range(self._count)}
        for column, view in enumerate(self.query(ChatColumn)):
            view.set_class(column == self.chosen, "-chosen")
            ink = "pick" if self._count > 1 and column == self.chosen and self.has_focus else "title"
            view.show(conversation, self._pending, ((f" {names[column]}", ink),))
        self.query_one("#tabs", LineView).show([tab_spans(names, self.chosen, self.size.width)])

    def choose(self, column: int) -> None:
        """Choose a column; those outside are not there."""
        if 0 <= column < self._count and column != self.chosen:
            self.chosen = column
            self._draw()
            self.post_message(self.Chose())

    def follow(self) -> None:
        """Scroll every column to the newest prompt."""
        for view in self.query(ChatColumn):
            view.call_after_refresh(view.follow)

    def scroll_all(self, lines: int) -> None:
        """Scroll every column, up when negative."""
        for view in self.query(ChatColumn):
            view.text.scroll_lines(lines)

    def on_resize(self) -> None:
        """Side by side where there is room."""
        self.set_class(self._count > 1 and self.size.width < SIDE_BY_SIDE_FROM, "-tabs")
        self.call_after_refresh(self._draw)

    def on_focus(self) -> None:
        """Show which column keys act on."""
        self._draw()

    def on_blur(self) -> None:
        """Show that letters are text."""
        self._draw()
