"""The chat screen on a real conversation whose answers are scripted: asking, voting, keeping."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input

from tcao_tui.errors import UsageError
from tcao_tui.tui.chat_port import ChatWanted
from tcao_tui.tui.messages import OpenChat
from tcao_tui.tui.panes.chat.columns import ChatColumn, ChatColumns
from tcao_tui.tui.screens.chat import ChatScreen
from tcao_tui.tui.widgets.composer import Composer
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes.chat_helper import ChatHelper
from tests.fakes.console import FakeConsole
from tests.tui.chat_screens import MakeApp, app_maker, asked, column, notes, opened, reply_of, text_of
from tests.tui.conftest import Until


@pytest.fixture
def helper() -> ChatHelper:
    return ChatHelper(reply_of)


@pytest.fixture
def make_app(console: FakeConsole, helper: ChatHelper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeApp:
    monkeypatch.chdir(tmp_path)
    return app_maker(console, helper, tmp_path / "chats")


async def test_a_prompt_goes_to_everyone_and_answers_stand_side_by_side(
    make_app: MakeApp, console: FakeConsole, until: Until
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        assert ("chat", "base", "latest", "") in console.asked
        await asked(pilot, until, "Where is it?")
        assert "❯ Where is it?" in column(app, 0)
        assert "Dear customer" in column(app, 0)
        assert "34 tokens · 1.2 s · cut off" in column(app, 0)
        assert '{"queue": "billing"}' in column(app, 1)
        assert "read 240 (cached 120) · wrote 68 · $?" in text_of(app, "#state")
        assert "Which is best?" in text_of(app, "#state")


async def test_hostile_answers_reach_no_line_with_control_characters_and_no_markup(
    make_app: MakeApp, until: Until
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await asked(pilot, until, "Hi")
        assert "[bold]red" in column(app, 0)
        assert "\x1b" not in column(app, 0)


async def test_a_vote_by_a_key_ends_the_round_and_the_text_has_the_keys_again(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await asked(pilot, until, "Hi")
        assert app.screen.query_one(ChatColumns).has_focus
        await pilot.press("2")
        await until(pilot, lambda: pane.conversation.rounds[-1].vote == 1)
        await until(pilot, lambda: "✓ better" in column(app, 1))
        assert "cannot tell which is better" in text_of(app, "#state")
        assert pane.is_typing
        await asked(pilot, until, "Next")
        assert len(pane.conversation.rounds) == 2
        await pilot.press("0")
        await until(pilot, lambda: pane.conversation.rounds[-1].vote == "tie")


async def test_digits_are_text_while_one_writes(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await asked(pilot, until, "Hi")
        await pilot.press("tab", *"2+2")
        assert app.screen.query_one(Composer).text == "2+2"
        assert pane.conversation.rounds[-1].vote is None


async def test_blind_columns_are_numbers_until_the_vote(make_app: MakeApp, until: Until) -> None:
    app = make_app(blind=True)
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await asked(pilot, until, "Hi")
        names = [view.query_one(".name", LineView).lines[0][0][0] for view in app.screen.query(ChatColumn)]
        assert names == [" 1", " 2"]
        await pilot.press("1")
        await until(pilot, lambda: pane.conversation.rounds[-1].vote is not None)
        winner = pane.conversation.contenders[pane.conversation.rounds[-1].order[0]].label
        await until(pilot, lambda: f"{winner} ✓ better" in column(app, 0))


async def test_the_stop_key_gives_the_prompt_back(make_app: MakeApp, helper: ChatHelper, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        app.screen.query_one(Composer).put("wait")
        await pilot.press("enter")
        await until(pilot, helper.is_waiting.is_set)
        assert "esc stops" in text_of(app, "#state")
        await pilot.press("escape")
        await until(pilot, lambda: not pane.is_busy)
        assert app.screen.query_one(Composer).text == "wait"
        assert notes(app) == ""


async def test_a_server_that_fails_is_told_and_one_contender_that_fails_is_shown(
    make_app: MakeApp, until: Until
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await asked(pilot, until, "fail")
        await until(pilot, lambda: "fell over" in notes(app))
        await asked(pilot, until, "gone")
        assert "no such checkpoint any more" in column(app, 0)
        await asked(pilot, until, "odd")
        assert "not read as the chat format has it: no end mark" in column(app, 1)
        await pilot.press("1")
        await until(pilot, lambda: pane.conversation.rounds[-1].vote == 0)


async def test_a_conversation_that_cannot_be_opened_is_told_and_left(
    make_app: MakeApp, console: FakeConsole, until: Until
) -> None:
    app = make_app()
    console.refusal = UsageError("there is no run x")
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(OpenChat(ChatWanted(("x",))))
        await until(pilot, lambda: "no run x" in notes(app))
        await until(pilot, lambda: not isinstance(app.screen, ChatScreen))


async def test_a_vote_is_saved_as_a_pair_and_a_case_with_the_wanted_answer(
    make_app: MakeApp, tmp_path: Path, until: Until
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await asked(pilot, until, "Hi")
        await pilot.press("2")
        await until(pilot, lambda: pane.conversation.rounds[-1].vote == 1)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(app.screen.query("#file")))
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "chat-pairs.jsonl").exists())
        await until(pilot, lambda: "1 preference pair appended" in notes(app))
        assert json.loads((tmp_path / "chat-pairs.jsonl").read_text())["chosen"][0]["content"] == '{"queue": "billing"}'
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(app.screen.query("#file")))
        await pilot.press("up")
        app.screen.query_one("#wanted", Input).value = "It is on its way."
        app.screen.query_one("#tags", Input).value = "letters, late"
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "chat-cases.jsonl").exists())
        case = json.loads((tmp_path / "chat-cases.jsonl").read_text())
        assert case == {"input": "Hi", "output": "It is on its way.", "tags": ["letters", "late"]}
