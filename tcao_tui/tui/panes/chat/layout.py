"""What the chat pane looks like: settings, columns, state and the line one writes in, drawn from a conversation."""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from tcao_tui.domain.chat import Conversation
from tcao_tui.tui.chat_port import ChatTalk
from tcao_tui.tui.panes.chat.columns import ChatColumns
from tcao_tui.tui.panes.chat.lines import Pending, settings_line, state_lines
from tcao_tui.tui.widgets.composer import Composer
from tcao_tui.tui.widgets.line_view import LineView
from tcao_tui.tui.widgets.offers import Offers

_PAGE = 0.8
"""Share of the height that a page scrolls by."""


class ChatLayout(Widget):
    """Base of the chat pane.

    Args:
        talk: The conversation.
        clock: Seconds that only grow.

    Attributes:
        pending: The prompt that is being answered; None when none is.
    """

    DEFAULT_CSS = """
    ChatLayout {
        height: 1fr;
        layout: vertical;
        & > #settings { height: 1; }
        & > #state { height: 2; }
        & > #line { height: auto; background: $surface; }
        & #prompt { width: 3; padding: 0 1; color: $primary; }
    }
    """

    def __init__(self, talk: ChatTalk, clock: Callable[[], float]) -> None:
        super().__init__()
        self.talk, self.clock = talk, clock
        self.pending: Pending | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield LineView(id="settings")
        yield ChatColumns(len(self.conversation.contenders))
        yield LineView(id="state")
        with Horizontal(id="line"):
            yield Static("❯", id="prompt", markup=False)
            yield Composer(lambda _line, _place: Offers(0))

    @property
    def conversation(self) -> Conversation:
        """As it stands."""
        return self.talk.conversation

    @property
    def is_typing(self) -> bool:
        """Whether letters are text."""
        return not self.columns.has_focus

    @property
    def is_busy(self) -> bool:
        """Whether a prompt is being answered."""
        return self.pending is not None

    @property
    def chosen(self) -> int | None:
        """The contender of the chosen column; None before anything was said."""
        rounds = [one for one in self.conversation.rounds if one.exchanges]
        return rounds[-1].order[self.columns.chosen] if rounds else None

    @property
    def composer(self) -> Composer:
        """Where the person writes."""
        return self.query_one(Composer)

    @property
    def columns(self) -> ChatColumns:
        """The answers."""
        return self.query_one(ChatColumns)

    def draw(self) -> None:
        """Show the conversation as it stands."""
        if not self.size.width:
            return  # drawn once the size is known
        self.columns.show(self.conversation, self.pending)
        self.query_one("#settings", LineView).show([settings_line(self.conversation, self.size.width)])
        self.draw_state()

    def draw_state(self) -> None:
        """Show what is going on."""
        lines = state_lines(self.conversation, self.pending, self.clock(), self.size.width)
        self.query_one("#state", LineView).show(lines)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size."""
        self.call_after_refresh(self.draw)

    @on(Composer.Paged)
    def _page(self, event: Composer.Paged) -> None:
        self.action_page(event.by)

    def action_page(self, by: int) -> None:
        """Scroll all columns by pages."""
        self.columns.scroll_all(round(by * self.columns.size.height * _PAGE))

    def action_scroll(self, by: int) -> None:
        """Scroll all columns by lines."""
        self.columns.scroll_all(by)

    def action_switch(self) -> None:
        """Between text and answers."""
        (self.columns if self.is_typing else self.composer).focus()

    def action_column(self, by: int) -> None:
        """Another column."""
        self.columns.choose(self.columns.chosen + by)
