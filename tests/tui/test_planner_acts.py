from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.interview import Said
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.errors import UsageError
from tcao_tui.store.interviews import InterviewSummary
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.panes.planner.pane import PlannerPane
from tcao_tui.tui.panes.planner.tool_view import ToolView
from tcao_tui.tui.screens.edit_value import EditValueScreen
from tcao_tui.tui.screens.interview import InterviewScreen
from tcao_tui.tui.screens.run import RunScreen
from tcao_tui.tui.screens.runs import RunsScreen
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tests.fakes import interview_records as records
from tests.fakes.console import FakeConsole
from tests.fakes.interview_console import FakeSession, Step
from tests.fakes.interview_lab import Lab
from tests.tui.conftest import Until


async def test_a_value_is_edited_by_hand_after_its_changes_were_shown(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.opening(), sheet=records.finished_sheet())
    async with lab.app.run_test(size=(120, 36)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"/edit training.lora_rank", "enter")
        await until(pilot, lambda: isinstance(lab.app.screen, EditValueScreen))
        await pilot.press("backspace", "backspace", *"64")
        await until(pilot, lambda: "+ 64 (you)" in lab.text("#changes"))
        await pilot.press("enter")
        await until(pilot, lambda: bool(lab.acts))
        assert lab.acts == [("set", {"training.lora_rank": 64})]


async def test_a_value_that_cannot_stand_is_not_taken_over(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, sheet=records.finished_sheet())
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"/edit training.lora_rank many", "enter")
        await until(pilot, lambda: "training.lora_rank" in lab.text("#status"))
        await pilot.press("ctrl+a", "ctrl+k", *"/edit training.lora_rank", "enter")
        await until(pilot, lambda: isinstance(lab.app.screen, EditValueScreen))
        await pilot.press(*"x", "enter")
        await pilot.pause()
        assert isinstance(lab.app.screen, EditValueScreen)
        await pilot.press("escape")
        await until(pilot, lambda: lab.is_there)
        assert lab.acts == []


async def test_a_value_is_given_back_to_the_rules(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, sheet=records.finished_sheet())
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"/edit budget.max_cost_usd", "enter")
        await until(pilot, lambda: isinstance(lab.app.screen, EditValueScreen))
        await pilot.press("ctrl+d")
        await until(pilot, lambda: lab.acts == [("set", {"budget.max_cost_usd": None})])


async def test_the_plan_card_is_walked_opened_and_edited_by_keys(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.opening(), sheet=records.finished_sheet())
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: lab.pane.plan_card.key == "slot:goal" and not lab.pane.talk.display)
        assert "plan.edit" in lab.app.screen.query_one(KeyFooter).offered
        await pilot.press("down", "down", "enter", "down", "enter")
        await until(pilot, lambda: isinstance(lab.app.screen, EditValueScreen))
        await pilot.press("down", "enter")
        await until(pilot, lambda: lab.acts == [("set", {"method": "rl"})])
        await pilot.press("escape")
        await until(pilot, lambda: lab.pane.talk.composer.has_focus)


async def test_the_whole_plan_is_edited_in_an_editor(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, sheet=records.finished_sheet())
    async with lab.app.run_test(size=(120, 36)) as pilot:
        await lab.open(pilot)
        lab.pane.edit_text = lambda text: text.replace("training.lora_rank: 32", "training.lora_rank: 128")
        await pilot.press(*"/edit", "enter")
        await until(pilot, lambda: isinstance(lab.app.screen, EditValueScreen))
        await until(pilot, lambda: "+ 128 (you)" in lab.text("#changes"))
        await pilot.press("enter")
        await until(pilot, lambda: lab.acts == [("set", {"training.lora_rank": 128})])


async def test_tools_open_with_the_keyboard(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, [*records.after_the_data()[:-1]])
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press("shift+tab", "up", "up", "enter")
        tools = list(lab.app.screen.query(ToolView))
        await until(pilot, lambda: len(tools[0].lines) > 1)
        await pilot.press("escape")
        await until(pilot, lambda: lab.pane.talk.composer.has_focus)


async def test_a_reply_is_copied_by_the_terminal_and_a_long_one_goes_to_a_file(
    console: FakeConsole, until: Until
) -> None:
    lab = Lab(console, until, [Said(who="planner", text="All is well.")], [Said(who="planner", text="x" * 60_000)])
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"/copy", "enter")
        await until(pilot, lambda: lab.app.clipboard == "All is well.")
        await until(pilot, lambda: any("Sent 12 characters via OSC 52" in n.message for n in lab.app._notifications))
        await pilot.press(*"more", "enter")
        await until(pilot, lambda: len(lab.acts) == 1)
        await lab.idle(pilot)
        await pilot.press(*"/copy", "enter")
        await until(pilot, lambda: bool(console.saved))
        assert next(iter(console.saved.values())) == "x" * 60_000
        await pilot.press(*"/copy plan --file", "enter")
        await until(pilot, lambda: len(console.saved) == 2)


async def test_earlier_words_come_back_with_the_up_key(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until)
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        for words in ("one", "two"):
            await pilot.press(*words, "enter")
            await until(pilot, lambda words=words: ("say", words) in lab.acts)
            await lab.idle(pilot)
        composer = lab.pane.talk.composer
        await pilot.press("up", "up")
        assert composer.text == "one"
        await pilot.press("down", "down")
        assert composer.text == ""


async def test_a_file_is_completed_after_an_at_sign(
    console: FakeConsole, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "train.jsonl").touch()
    monkeypatch.chdir(tmp_path)
    lab = Lab(console, until)
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"learn @rows/t")
        await until(pilot, lambda: "train.jsonl" in lab.text("#offers"))
        await pilot.press("tab")
        await until(pilot, lambda: lab.pane.talk.composer.text == "learn @rows/train.jsonl")


async def test_commands_are_offered_and_their_first_letters_are_enough(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until)
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press("slash", "r")
        await until(pilot, lambda: "/rules" in lab.text("#offers"))
        await pilot.press("enter")
        await until(pilot, lambda: ("go_on",) in lab.session.asked[1:])
        await pilot.press(*"/nonsense", "enter")
        await until(pilot, lambda: "no such command" in lab.text("#status"))


async def test_a_second_esc_leaves_for_the_run_list_and_closes_the_interview(
    console: FakeConsole, until: Until
) -> None:
    console.session = FakeSession([records.opening()])
    app = TcaoApp(console.ports(), interview=InterviewWanted())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: console.session.state.open_card is not None)
        await until(pilot, lambda: not app.screen.query_one(PlannerPane).is_busy)
        await pilot.press("escape", "x", "backspace", "escape")
        await pilot.pause()
        assert isinstance(app.screen, InterviewScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await until(pilot, lambda: console.session.closed)


async def test_the_run_list_opens_a_new_interview_or_lets_one_choose(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i")
        await until(pilot, lambda: ("interview", "", "") in console.asked)
        await until(pilot, lambda: isinstance(app.screen, InterviewScreen))
        app.pop_screen()
        console.summaries = [InterviewSummary("20261125-a", "solve sums", "open", "", 0.0, 0.0)]
        await pilot.press("i")
        await until(pilot, lambda: not isinstance(app.screen, RunsScreen))
        await pilot.press("down", "enter")
        await until(pilot, lambda: ("interview", "20261125-a", "") in console.asked)


async def test_a_fork_is_opened_beside_the_interview(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until)
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"/fork", "enter")
        await until(pilot, lambda: ("interview", "fork-1", "") in console.asked)


async def test_an_interview_that_cannot_be_opened_says_why(console: FakeConsole, until: Until) -> None:
    console.refusal = UsageError("no interview is called x", next_step="tcao plan --list")
    app = TcaoApp(console.ports(), interview=InterviewWanted("x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: any("no interview is called x" in n.message for n in app._notifications))


async def test_resizing_moves_the_plan_beside_the_talk(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.opening(), sheet=records.early_sheet(InterviewState("i")))
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        assert not lab.pane.plan_card.display
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: "only you can tell" in lab.text("#plan-rows"))
        assert lab.pane.talk.display


async def test_leaving_the_run_goes_back_to_the_interview(console: FakeConsole, until: Until) -> None:
    sheet = records.finished_sheet(is_free=True)
    lab = Lab(console, until, sheet=sheet)
    lab.session.record(*records.opening()[:2])
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await lab.session.approve("h", max_cost_usd=None)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(lab.app.screen, RunScreen))
        await pilot.press("escape")
        await until(pilot, lambda: lab.is_there)


async def test_the_talk_scrolls_by_pages_while_one_writes(console: FakeConsole, until: Until) -> None:
    words: list[Step] = [Said(who="planner", text=f"words number {i}") for i in range(60)]
    lab = Lab(console, until, words)
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        transcript = lab.pane.talk.transcript
        await until(pilot, lambda: transcript.max_scroll_y > 0 and transcript.scroll_y == transcript.max_scroll_y)
        await pilot.press("pageup")
        await until(pilot, lambda: transcript.scroll_y < transcript.max_scroll_y)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: transcript.scroll_y == transcript.max_scroll_y)
