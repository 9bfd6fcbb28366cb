"""The chat screen on a real conversation whose answers are scripted: settings, sizes, long answers, going on."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tcao_tui.domain.chat import ChatSettings, Reply
from tcao_tui.store.chats import ChatFiles
from tcao_tui.tui.panes.chat.columns import ChatColumn
from tcao_tui.tui.screens.chat import ChatScreen
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tests.fakes.chat_helper import BASE, TRAINED, ChatHelper
from tests.fakes.console import FakeConsole
from tests.tui.chat_screens import OTHERS, MakeApp, app_maker, asked, column, notes, opened, reply_of, text_of
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare


@pytest.fixture
def helper() -> ChatHelper:
    return ChatHelper(reply_of)


@pytest.fixture
def make_app(console: FakeConsole, helper: ChatHelper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeApp:
    monkeypatch.chdir(tmp_path)
    return app_maker(console, helper, tmp_path / "chats")


async def test_settings_are_changed_in_fields_and_wrong_ones_are_said(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: bool(app.screen.query("#temperature")))
        app.screen.query_one("#temperature", Input).value = "hot"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one("#temperature", Input).has_focus)
        for name, value in (("temperature", "0"), ("seed", ""), ("thinking", "no"), ("system", "Be brief.")):
            app.screen.query_one(f"#{name}", Input).value = value
        await pilot.press("enter")
        await until(pilot, lambda: pane.conversation.settings == ChatSettings(temperature=0, thinking=False))
        await until(pilot, lambda: "system: Be brief." in text_of(app, "#settings"))


async def test_narrow_screens_show_one_column_at_a_time(make_app: MakeApp, until: Until) -> None:
    app = make_app(BASE, TRAINED, *OTHERS)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await asked(pilot, until, "Hi")
        assert [view.display for view in app.screen.query(ChatColumn)] == [True, False, False, False]
        await pilot.press("right")
        assert [view.display for view in app.screen.query(ChatColumn)] == [False, True, False, False]
        await pilot.resize_terminal(160, 48)
        await until(pilot, lambda: all(view.display for view in app.screen.query(ChatColumn)))


async def test_a_long_answer_is_read_by_scrolling_and_only_what_is_in_sight_is_painted(
    make_app: MakeApp, helper: ChatHelper, until: Until
) -> None:
    app = make_app(TRAINED)
    helper._answer = lambda contender, ask: Reply(text="\n".join(f"line {n}" for n in range(20_000)), tokens=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await asked(pilot, until, "Hi")
        view = app.screen.query(ChatColumn)[0].text
        assert len(view.lines) > 20_000
        await asked(pilot, until, "Again")
        await until(pilot, lambda: view.scroll_offset.y > 20_000)
        assert "❯ Again" in "".join(text for text, _ink in view.lines[view.scroll_offset.y])
        await pilot.press("pagedown", "pageup", "pageup")
        assert view.scroll_offset.y < 20_003
        assert len(view._painted) < 200


async def test_escape_stops_then_writes_then_leaves_and_the_helper_ends(
    make_app: MakeApp, helper: ChatHelper, until: Until
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("tab")
        assert not pane.is_typing
        assert "chat.first" in app.screen.query_one(KeyFooter).offered
        await pilot.press("escape")
        assert pane.is_typing
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ChatScreen))
        await until(pilot, lambda: helper.is_closed)


async def test_an_earlier_conversation_is_gone_on_with(
    make_app: MakeApp, console: FakeConsole, tmp_path: Path, until: Until
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "No conversation" in notes(app))
        await asked(pilot, until, "Hi")
        console.kept_chats = ChatFiles(tmp_path / "chats").summaries()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: bool(app.screen.query("OptionList")))
        await pilot.press("enter")
        chat_id = console.kept_chats[0].chat_id
        await until(pilot, lambda: ("chat", chat_id) in console.asked)
        await until(pilot, lambda: bool(app.screen.query(ChatColumn)) and "❯ Hi" in column(app, 0))


@pytest.mark.parametrize("size", SIZES)
def test_chat_side_by_side(snap_compare: SnapCompare, make_app: MakeApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        pane = await opened(pilot, until)
        await asked(pilot, until, "Where is my parcel? I have been waiting for two weeks now.")
        await pilot.press("2")
        await until(pilot, lambda: not pane.is_busy and pane.conversation.rounds[-1].vote == 1)
        await asked(pilot, until, "odd")

    assert snap_compare(make_app(), terminal_size=size, run_before=settled)


@pytest.mark.parametrize("size", SIZES)
def test_chat_of_four_blind(snap_compare: SnapCompare, make_app: MakeApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await opened(pilot, until)
        await asked(pilot, until, "Where is my parcel?")

    assert snap_compare(make_app(BASE, TRAINED, *OTHERS, blind=True), terminal_size=size, run_before=settled)
