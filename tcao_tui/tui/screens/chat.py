"""The chat screen: opens the conversation in a thread, then shows its pane; asks for settings and for where to save."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from tcao_tui.tui.chat_port import ChatTalk, ChatWanted
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import ChatAct, OpenChat
from tcao_tui.tui.panes.chat.pane import ChatPane
from tcao_tui.tui.ports import Ports
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tcao_tui.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from tcao_tui.domain.chat import ChatSettings
    from tcao_tui.store.chats import ChatSummary
    from tcao_tui.tui.screens.save_chat import SaveWanted


class ChatScreen(Screen[None]):
    """One conversation.

    Args:
        ports: What may be asked for.
        wanted: Which.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CHATS)]
    DEFAULT_CSS = """
    ChatScreen { layout: vertical; }
    ChatScreen > #opening { height: 1fr; }
    """

    @dataclass
    class Opened(Message):
        """The conversation is there."""

        talk: ChatTalk

    @dataclass
    class Listed(Message):
        """The conversations that can be gone on with."""

        chats: list[ChatSummary]

    class Missed(Message):
        """There is no such conversation; the app tells why."""

    def __init__(self, ports: Ports, wanted: ChatWanted) -> None:
        super().__init__()
        self._ports, self._wanted = ports, wanted
        self._talk: ChatTalk | None = None

    @property
    def pane(self) -> ChatPane | None:
        """The pane; None while the conversation is opened."""
        return next(iter(self.query(ChatPane)), None)

    @property
    def is_typing(self) -> bool:
        """Whether letters are text where one is."""
        return self.pane is None or self.pane.is_typing

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What works where one is."""
        inside = (Scope.CHAT,) if self.is_typing else (Scope.CHAT_ANSWERS, Scope.CHAT)
        return (*inside, Scope.CHATS, Scope.APP)

    def compose(self) -> ComposeResult:
        """A word until the conversation is there, and the keys."""
        yield LineView(id="opening")
        yield KeyFooter(Scope.CHAT, Scope.CHATS, Scope.APP, is_typing=True)

    def on_mount(self) -> None:
        """Open the conversation."""
        self.query_one("#opening", LineView).show([((" Opening ...", "muted"),)])
        self.post_message(ChatAct(self._open))

    def _open(self) -> None:
        try:
            self.post_message(self.Opened(self._ports.open_chat(self._wanted)))
        except BaseException:
            self.post_message(self.Missed())  # whatever it was, the app tells it
            raise

    @on(Opened)
    async def _show(self, event: Opened) -> None:
        self._talk = event.talk
        await self.query_one("#opening").remove()
        await self.mount(ChatPane(event.talk), before=self.query_one(KeyFooter))

    def on_unmount(self) -> None:
        """End the helper; it may take seconds to end its session, and nobody waits for it."""
        if self._talk is not None:
            threading.Thread(target=self._talk.close, name="chat-end", daemon=True).start()

    @on(Missed)
    @on(ChatPane.Left)
    def _leave(self) -> None:
        if self.is_current:
            self.dismiss()

    @on(events.DescendantFocus)
    @on(ChatPane.TurnChanged)
    def _offer_keys(self) -> None:
        footer = self.query_one(KeyFooter)
        footer.offer(*self.scopes, is_typing=self.is_typing)
        footer.leave_out(self.pane.senseless_keys if self.pane is not None else frozenset())

    def action_settings(self) -> None:
        """Ask how to sample."""
        pane = self.pane
        if pane is None:
            return
        from tcao_tui.tui.screens.chat_settings import ChatSettingsScreen

        def answered(said: tuple[ChatSettings, str] | None) -> None:
            if said is not None:
                pane.change(*said)

        conversation = pane.conversation
        self.app.push_screen(ChatSettingsScreen(conversation.settings, conversation.system), answered)

    def action_save(self) -> None:
        """Ask what to keep and where."""
        pane = self.pane
        if pane is None:
            return
        from tcao_tui.tui.screens.save_chat import SaveChatScreen

        contender = pane.chosen

        def answered(said: SaveWanted | None) -> None:
            if said is not None:
                pane.act(lambda: pane.talk.save(said.kind, said.path, contender, wanted=said.wanted, tags=said.tags))

        self.app.push_screen(SaveChatScreen(pane.conversation, contender), answered)

    def action_earlier(self) -> None:
        """List the conversations that can be gone on with."""

        def read() -> None:
            self.post_message(self.Listed(self._ports.chats()))

        self.post_message(ChatAct(read))

    @on(Listed)
    def _choose(self, event: Listed) -> None:
        if not event.chats:
            self.notify("No conversation is kept yet.", markup=False)
            return
        from tcao_tui.tui.screens.choose import ChooseScreen

        def answered(chat_id: str | None) -> None:
            if chat_id is not None:
                self.app.post_message(OpenChat(ChatWanted(chat_id=chat_id)))
                self.dismiss()

        shown = [(chat.chat_id, f"{', '.join(chat.labels)}: {chat.title}") for chat in event.chats]
        self.app.push_screen(ChooseScreen("Go on with a conversation", shown), answered)
