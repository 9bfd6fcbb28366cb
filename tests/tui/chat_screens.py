"""How tests of the chat screen script answers, open it and read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from tcao_tui.clients.chat_calls import Ask
from tcao_tui.domain.chat import ChatSettings, Contender, Reply
from tcao_tui.errors import BackendError
from tcao_tui.services.chat import ChatSession, new_conversation
from tcao_tui.store.chats import ChatFiles
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.chat_port import ChatWanted
from tcao_tui.tui.messages import OpenChat
from tcao_tui.tui.panes.chat.columns import ChatColumn
from tcao_tui.tui.panes.chat.pane import ChatPane
from tcao_tui.tui.screens.chat import ChatScreen
from tcao_tui.tui.widgets.composer import Composer
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes.chat_helper import BASE, TRAINED, ChatHelper
from tests.fakes.console import FakeConsole
from tests.tui.conftest import Until

LETTER = "I was charged twice for my order of Monday. Could you look into it? " * 6
OTHERS = (
    Contender(source="tinker://lora/sampler_weights/001-000040", label="demo:40"),
    Contender(source="tinker://other/sampler_weights/001-000200", label="rewrite-with-a-long-name:200"),
)


def reply_of(contender: Contender, ask: Ask) -> Reply | Exception | None:
    prompt = ask.messages[-1].content
    match prompt:
        case "wait":
            return None
        case "fail":
            return BackendError("the server fell over", next_step="tcao doctor")
        case "gone" if contender is BASE:
            return Reply(error="tinker://x: the server has no such checkpoint any more")
        case _:
            pass
    usual = {"prompt_tokens": 120, "cached_tokens": 60, "tokens": 34, "seconds": 1.25}
    if contender is BASE:
        return Reply(text=f"Dear customer,\n\n{LETTER}\n[bold]\x1b[31mred", is_cut=True, thinking="Hm.", **usual)
    return Reply(text='{"queue": "billing"}', problem="no end mark" if prompt == "odd" else "", **usual)


async def opened(pilot: Pilot[object], until: Until) -> ChatPane:
    pilot.app.post_message(OpenChat(ChatWanted(("base", "latest"))))
    await until(pilot, lambda: isinstance(pilot.app.screen, ChatScreen) and bool(pilot.app.screen.query(Composer)))
    pane = pilot.app.screen.query_one(ChatPane)
    await until(pilot, lambda: pane.is_typing)
    return pane


async def asked(pilot: Pilot[object], until: Until, prompt: str) -> ChatPane:
    pane = pilot.app.screen.query_one(ChatPane)
    pilot.app.screen.query_one(Composer).put(prompt)
    pilot.app.screen.query_one(Composer).focus()
    await pilot.press("enter")
    await until(pilot, lambda: not pane.is_busy)
    return pane


def column(app: TcaoApp, place: int) -> str:
    view = app.screen.query(ChatColumn)[place].text
    return "\n".join("".join(text for text, _ink in line) for line in view.lines)


def text_of(app: TcaoApp, where: str) -> str:
    return "\n".join("".join(text for text, _ink in line) for line in app.screen.query_one(where, LineView).lines)


def notes(app: TcaoApp) -> str:
    return "\n".join(note.message for note in app._notifications)


type MakeApp = Callable[..., TcaoApp]


def app_maker(console: FakeConsole, helper: ChatHelper, folder: Path) -> MakeApp:
    """A console whose chats are kept in a folder: call it with contenders, and `blind`."""

    def make(*contenders: Contender, blind: bool = False) -> TcaoApp:
        chosen = contenders or (BASE, TRAINED)
        conversation = new_conversation(chosen, ChatSettings(seed=1), backend="local", is_blind=blind)
        conversation = conversation.model_copy(update={"blind_seed": 2})
        console.talk = ChatSession(helper, ChatFiles(folder), conversation)
        return TcaoApp(console.ports(), theme="dark")

    return make
