"""The chat pane: the person's words go to all contenders, answers appear side by side, votes and rows are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from tcao_tui.domain.chat import ChatSettings, Conversation, Reply
from tcao_tui.errors import ExitCode, Refused, TcaoError
from tcao_tui.tui.chat_port import ChatTalk
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import ChatAct, Done, NotDone
from tcao_tui.tui.panes.chat.columns import ChatColumns
from tcao_tui.tui.panes.chat.lines import Pending, settings_line, state_lines
from tcao_tui.tui.widgets.composer import Composer
from tcao_tui.tui.widgets.line_view import LineView
from tcao_tui.tui.widgets.offers import Offers

_PAGE = 0.8


class ChatPane(Widget):
    """One conversation.

    Args:
        talk: The conversation.
        clock: Seconds that only grow.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CHAT, Scope.CHAT_ANSWERS)]
    DEFAULT_CSS = """
    ChatPane {
        height: 1fr;
        layout: vertical;
        & > #settings { height: 1; }
        & > #state { height: 2; }
        & > #line { height: auto; background: $surface; }
        & #prompt { width: 3; padding: 0 1; color: $primary; }
    }
    """

    class Left(Message):
        """The person wants to go back."""

    @dataclass
    class Replied(Message):
        """A contender answered."""

        contender: int
        reply: Reply

    class TurnChanged(Message):
        """Whether a prompt is being answered changed."""

    class Changed(Message):
        """The conversation is another one; `ended` says that nothing is being answered any more."""

        def __init__(self, *, ended: bool = False) -> None:
            super().__init__()
            self.ended = ended

    def __init__(self, talk: ChatTalk, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.talk, self._clock = talk, clock
        self._pending: Pending | None = None
        self._tick: Timer | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield LineView(id="settings")
        yield ChatColumns(len(self.conversation.contenders))
        yield LineView(id="state")
        with Horizontal(id="line"):
            yield Static("❯", id="prompt", markup=False)
            yield Composer(lambda _line, _place: Offers(0))

    def on_mount(self) -> None:
        """Begin to write."""
        prompts = [each.prompt for one in self.conversation.rounds for each in one.exchanges]
        self._composer.earlier.learn(prompts)
        self._composer.focus()
        self._draw()

    @property
    def conversation(self) -> Conversation:
        """As it stands."""
        return self.talk.conversation

    @property
    def is_typing(self) -> bool:
        """Whether letters are text."""
        return not self._columns.has_focus

    @property
    def is_busy(self) -> bool:
        """Whether a prompt is being answered."""
        return self._pending is not None

    @property
    def senseless_keys(self) -> frozenset[str]:
        """Ids of the keys that do nothing now."""
        alone = (
            {"chat.first", "chat.tie", "chat.left", "chat.blind"} if len(self.conversation.contenders) == 1 else set()
        )
        return frozenset({"chat.back" if self.is_busy else "chat.stop", *alone})

    @property
    def chosen(self) -> int | None:
        """The contender of the chosen column; None before anything was said."""
        rounds = [one for one in self.conversation.rounds if one.exchanges]
        return rounds[-1].order[self._columns.chosen] if rounds else None

    @property
    def _composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def _columns(self) -> ChatColumns:
        return self.query_one(ChatColumns)

    def act(self, act: Callable[[], str | None]) -> None:
        """Do something with the conversation in a thread, and show it then; a text is told."""

        def do() -> Message | None:
            try:
                text = act()
            finally:
                self.post_message(self.Changed())
            return None if text is None else Done(text)

        self.post_message(ChatAct(do))

    @on(Composer.Sent)
    def _ask(self, event: Composer.Sent) -> None:
        if not event.text:
            return
        if self._pending is not None:
            self._composer.put(event.text)
            self.post_message(NotDone("the answers to the last prompt are still coming", "esc stops them"))
            return
        self._composer.earlier.add(event.text)
        self._pending = Pending(event.text, self._clock())
        self._tick = self.set_interval(1.0, self._draw_state)
        if len(self.conversation.contenders) > 1:
            self._columns.focus()
        self._draw()
        self._columns.follow()
        self.post_message(self.TurnChanged())
        self.post_message(ChatAct(lambda: self._answered(event.text)))

    def _answered(self, prompt: str) -> Message | None:
        """Wait for the answers, in a thread; a stop is no failure."""

        def take(contender: int, reply: Reply) -> None:
            self.post_message(self.Replied(contender, reply))

        try:
            self.talk.ask(prompt, take)
        except TcaoError as error:
            if error.exit_code is not ExitCode.INTERRUPTED:
                raise
        finally:
            self.post_message(self.Changed(ended=True))
        return None

    @on(Replied)
    def _show_reply(self, event: Replied) -> None:
        if self._pending is not None:
            self._pending.replies[event.contender] = event.reply
            self._draw()

    @on(Changed)
    def _show_change(self, event: Changed) -> None:
        if event.ended:
            if self._pending is not None and not self._pending.replies and not self._composer.text:
                self._composer.put(self._pending.prompt)
                self._composer.focus()
            self._pending = None
            if self._tick is not None:
                self._tick.stop()
            self.post_message(self.TurnChanged())
        self._draw()

    def _draw(self) -> None:
        if not self.size.width:
            return  # drawn once the size is known
        self._columns.show(self.conversation, self._pending)
        self.query_one("#settings", LineView).show([settings_line(self.conversation, self.size.width)])
        self._draw_state()

    def _draw_state(self) -> None:
        lines = state_lines(self.conversation, self._pending, self._clock(), self.size.width)
        self.query_one("#state", LineView).show(lines)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size."""
        self.call_after_refresh(self._draw)

    @on(Composer.Paged)
    def _page(self, event: Composer.Paged) -> None:
        self.action_page(event.by)

    def action_page(self, by: int) -> None:
        """Scroll all columns by pages."""
        self._columns.scroll_all(round(by * self._columns.size.height * _PAGE))

    def action_scroll(self, by: int) -> None:
        """Scroll all columns by lines."""
        self._columns.scroll_all(by)

    def action_switch(self) -> None:
        """Between text and answers."""
        (self._columns if self.is_typing else self._composer).focus()

    def action_column(self, by: int) -> None:
        """Another column."""
        self._columns.choose(self._columns.chosen + by)

    def action_stop(self) -> None:
        """Stop the answers; else back."""
        if self.is_busy:
            self.talk.stop()
        elif not self.is_typing:
            self._composer.focus()
        else:
            self.post_message(self.Left())

    def action_vote(self, number: int) -> None:
        """Vote for the answer of a column, 0 for a tie."""
        order = self.conversation.round.order
        if number > len(order):
            return
        vote: int | Literal["tie"] = order[number - 1] if number else "tie"

        def do() -> None:
            if self.is_busy:
                raise Refused("the answers are still coming")
            self.talk.vote(vote)

        self.act(do)
        self._composer.focus()

    def action_new(self) -> None:
        """Let the next prompt stand alone."""
        self.act(self.talk.begin_anew)

    def action_blind(self) -> None:
        """Hide who answers, or show it again."""
        is_blind = not self.conversation.is_blind
        if len(self.conversation.contenders) < 2:
            self.post_message(NotDone("a blind comparison needs two contenders at least"))
            return
        self.act(lambda: self.talk.be_blind(is_blind))

    def change(self, settings: ChatSettings, system: str) -> None:
        """Sample otherwise from now on."""
        self.act(lambda: self.talk.change(settings, system))

    def action_copy(self) -> None:
        """Copy the chosen answer to the terminal's clipboard."""
        rounds = [one for one in self.conversation.rounds if one.exchanges]
        reply = rounds[-1].exchanges[-1].replies[self.chosen] if rounds and self.chosen is not None else None
        if reply is None or reply.error:
            self.post_message(NotDone("there is no answer to copy"))
            return
        self.app.copy_to_clipboard(reply.text)
        self.post_message(Done("Copied."))
