"""The chat pane: the person's words go to all contenders, answers appear side by side, votes and rows are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import on
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer

from tcao_tui.domain.chat import ChatSettings, Reply
from tcao_tui.errors import ExitCode, Refused, TcaoError
from tcao_tui.tui.chat_port import ChatTalk
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import ChatAct, Done, NotDone
from tcao_tui.tui.panes.chat.layout import ChatLayout
from tcao_tui.tui.panes.chat.lines import Pending
from tcao_tui.tui.widgets.composer import Composer


class ChatPane(ChatLayout):
    """One conversation.

    Args:
        talk: The conversation.
        clock: Seconds that only grow.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CHAT, Scope.CHAT_ANSWERS)]

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
        super().__init__(talk, clock)
        self._tick: Timer | None = None

    def on_mount(self) -> None:
        """Begin to write."""
        prompts = [each.prompt for one in self.conversation.rounds for each in one.exchanges]
        self.composer.earlier.learn(prompts)
        self.composer.focus()
        self.draw()

    @property
    def senseless_keys(self) -> frozenset[str]:
        """Ids of the keys that do nothing now."""
        alone = (
            {"chat.first", "chat.tie", "chat.left", "chat.blind"} if len(self.conversation.contenders) == 1 else set()
        )
        return frozenset({"chat.back" if self.is_busy else "chat.stop", *alone})

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
        if self.pending is not None:
            self.composer.put(event.text)
            self.post_message(NotDone("the answers to the last prompt are still coming", "esc stops them"))
            return
        self.composer.earlier.add(event.text)
        self.pending = Pending(event.text, self.clock())
        self._tick = self.set_interval(1.0, self.draw_state)
        if len(self.conversation.contenders) > 1:
            self.columns.focus()
        self.draw()
        self.columns.follow()
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
        if self.pending is not None:
            self.pending.replies[event.contender] = event.reply
            self.draw()

    @on(Changed)
    def _show_change(self, event: Changed) -> None:
        if event.ended:
            if self.pending is not None and not self.pending.replies and not self.composer.text:
                self.composer.put(self.pending.prompt)
                self.composer.focus()
            self.pending = None
            if self._tick is not None:
                self._tick.stop()
            self.post_message(self.TurnChanged())
        self.draw()

    def action_stop(self) -> None:
        """Stop the answers; else back."""
        if self.is_busy:
            self.talk.stop()
        elif not self.is_typing:
            self.composer.focus()
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
        self.composer.focus()

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
