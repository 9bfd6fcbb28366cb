from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tcao_tui.domain.interview import Asked, Entry, Interrupted, Said, ToolEnded, ToolStarted
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import BackendError, UsageError
from tcao_tui.planner.port import Countdown, TextDelta, ThinkingDelta, ToolProgress
from tcao_tui.store.interviews import InterviewSummary
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.panes.planner.pane import PlannerPane
from tcao_tui.tui.panes.planner.reply import Reply
from tcao_tui.tui.panes.planner.tool_view import ToolView
from tcao_tui.tui.screens.edit_value import EditValueScreen
from tcao_tui.tui.screens.interview import InterviewScreen
from tcao_tui.tui.screens.run import RunScreen
from tcao_tui.tui.screens.runs import RunsScreen
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes import interview_records as records
from tests.fakes.console import FakeConsole
from tests.fakes.interview_console import FakeSession, Hold, Step
from tests.tui.conftest import Until


class Clock:
    """Each look at it is a second later, so that no grace period lasts."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class Lab:
    """The planner's screen on a scripted interview."""

    def __init__(self, console: FakeConsole, until: Until, *script: list[Step], sheet: PlanSheet | None = None) -> None:
        self.until = until
        self.session = console.session = FakeSession(list(script))
        if sheet is not None:
            self.session.sheet_of = lambda _state: sheet
        self.app = TcaoApp(console.ports())
        self.edited: str | None = None

    async def open(self, pilot: Pilot[object], opening: str = "", clock: Clock | None = None) -> None:
        self.app.push_screen(InterviewScreen(InterviewWanted(opening=opening), clock=clock or Clock()))
        await self.until(pilot, lambda: self.is_there and self.pane.session is not None)
        await self.idle(pilot)

    async def idle(self, pilot: Pilot[object]) -> None:
        await self.until(pilot, lambda: not self.pane.is_busy)

    @property
    def is_there(self) -> bool:
        return isinstance(self.app.screen, InterviewScreen) and bool(self.app.screen.query(PlannerPane))

    @property
    def pane(self) -> PlannerPane:
        return self.app.screen.query_one(PlannerPane)

    def text(self, view: str) -> str:
        lines = self.app.screen.query_one(view, LineView).lines
        return "\n".join("".join(text for text, _ink in line) for line in lines)

    @property
    def acts(self) -> list[tuple[object, ...]]:
        return [act for act in self.session.asked if act[0] != "go_on"]


async def test_a_card_is_answered_by_keys_alone(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.after_the_data())
    async with lab.app.run_test(size=(120, 36)) as pilot:
        await lab.open(pilot)
        await pilot.press("2", "down", "enter", "space", "down", "space", "enter", *"12.5", "enter")
        await until(pilot, lambda: bool(lab.acts))
        answers = {"evals": "data/gsm8k_test_200.jsonl", "success": 0.6, "keep": ["mmlu"], "budget": 12.5}
        assert lab.acts == [("answer", "second", answers, False)]


async def test_the_rest_is_left_to_the_defaults_by_key_or_command(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.after_the_data(), [Asked(card=records.FIRST_CARD)])
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press("enter", "down", "down", "down", "down", "enter")
        await until(pilot, lambda: len(lab.acts) == 1)
        assert lab.acts[0] == ("answer", "second", {"evals": "split"}, True)
        await lab.idle(pilot)
        await pilot.press(*"/defaults", "enter")
        await until(pilot, lambda: len(lab.acts) == 2)
        assert lab.acts[1] == ("answer", "first", {}, True)


async def test_keys_typed_before_a_card_could_be_read_go_to_the_composer(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.after_the_data())
    async with lab.app.run_test(size=(80, 24)) as pilot:
        frozen = Clock()
        lab.app.push_screen(InterviewScreen(InterviewWanted(), clock=lambda: frozen.now))
        await until(pilot, lambda: lab.is_there and lab.pane.session is not None)
        await lab.idle(pilot)
        await pilot.press("1", "enter")
        await pilot.pause()
        assert lab.acts == []


async def test_a_card_takes_no_key_away_from_what_is_being_written(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.after_the_data())
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"use 1 2 rows")
        assert lab.pane.talk.composer.text == "use 1 2 rows"
        await pilot.press("enter")
        await until(pilot, lambda: lab.pane.talk.form is not None and "evals" in lab.pane.talk.form.given)
        assert lab.pane.talk.form is not None
        assert lab.pane.talk.form.given["evals"].value == "use 1 2 rows"


async def test_what_is_no_number_stays_in_the_composer_with_a_hint(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.after_the_data())
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press("shift+tab", *"cheap", "enter")
        await until(pilot, lambda: "a number" in lab.text("#status"))
        assert lab.pane.talk.composer.text == "cheap"


async def test_an_answer_that_does_not_fit_is_asked_again_and_nothing_is_lost(
    console: FakeConsole, until: Until
) -> None:
    lab = Lab(console, until, records.opening())
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)

        async def refuse(*_args: object, **_more: object) -> None:
            raise UsageError("there is no such file", where="data")

        lab.session.answer = refuse
        await pilot.press(*"sums", "enter", *"nowhere.jsonl", "enter")
        await until(pilot, lambda: "there is no such file" in lab.text("#status"))
        assert lab.pane.talk.form is not None
        assert lab.pane.talk.form.given["goal"].value == "sums"


async def test_esc_interrupts_a_turn_and_brings_back_what_was_queued(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, [], [Hold(), Said(who="planner", text="never said")])
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: lab.pane.is_busy)
        await pilot.press(*"and more", "enter")
        await until(pilot, lambda: "1 waiting" in lab.text("#status"))
        await pilot.press("escape")
        await lab.idle(pilot)
        assert ("interrupt",) in lab.acts
        assert lab.pane.talk.composer.text == "and more"
        assert ("say", "and more") not in lab.acts


async def test_what_is_typed_while_the_planner_works_is_sent_when_it_is_done(
    console: FakeConsole, until: Until
) -> None:
    hold = Hold()
    lab = Lab(console, until, [], [hold])
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"one", "enter")
        await until(pilot, lambda: lab.pane.is_busy)
        await pilot.press(*"two", "enter", *"three", "enter")
        hold.release()
        await until(pilot, lambda: len(lab.acts) == 2)
        assert lab.acts == [("say", "one"), ("say", "two\nthree")]


async def test_words_written_before_a_card_came_are_not_its_answer(console: FakeConsole, until: Until) -> None:
    hold = Hold()
    lab = Lab(console, until, [], [hold, Asked(card=records.FIRST_CARD)])
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"one", "enter")
        await until(pilot, lambda: lab.pane.is_busy)
        await pilot.press(*"two", "enter")
        hold.release()
        await until(pilot, lambda: lab.pane.talk.composer.text == "two")
        assert lab.acts == [("say", "one")]
        assert lab.pane.talk.form is not None


async def test_the_first_words_of_the_command_line_are_said(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until)
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot, opening="solve sums")
        assert lab.acts == [("say", "solve sums")]


@pytest.mark.parametrize(
    ("entries", "turns"),
    [
        (records.opening(), 0),
        (records.opening()[:2], 0),
        (records.opening()[:1], 1),
        ([*records.opening()[:2], Said(who="you", text="go on")], 1),
        ([*records.opening()[:2], Interrupted(what="the console that ran it ended")], 1),
    ],
)
async def test_an_interview_that_is_opened_again_goes_on_only_where_the_planner_is_due(
    console: FakeConsole, until: Until, entries: list[Entry], turns: int
) -> None:
    lab = Lab(console, until)
    lab.session.record(*entries)
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        assert len(lab.session.asked) == turns


async def test_words_stream_in_and_thinking_tools_and_waits_are_told(console: FakeConsole, until: Until) -> None:
    holds = [Hold() for _ in range(4)]
    script: list[Step] = [
        *(ThinkingDelta("the rows are "), ThinkingDelta("pairs"), holds[0]),
        *(ToolStarted(call_id="a", tool="inspect_data", arguments={}), ToolProgress("a", "reading", 0.43), holds[1]),
        *(ToolEnded(call_id="a", ok=True, result={}), Countdown(12.0, "the server is busy"), holds[2]),
        *(Countdown(0.0, ""), TextDelta("I read "), TextDelta("all rows."), holds[3]),
        Said(who="planner", text="I read all rows."),
    ]
    lab = Lab(console, until, [], script)
    async with lab.app.run_test(size=(120, 36)) as pilot:
        await lab.open(pilot, clock=Clock())
        await pilot.press(*"go", "enter")
        for hold, told in zip(
            holds[:3], ("the rows are pairs", "inspect_data reading 43%", "the server is busy"), strict=True
        ):
            await until(pilot, lambda told=told: told in lab.text("#status"))
            hold.release()
        await until(pilot, lambda: len(lab.app.screen.query(Reply)) == 1)
        holds[3].release()
        await lab.idle(pilot)
        assert len(lab.app.screen.query(Reply)) == 1


async def test_an_idle_interview_runs_no_timer(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, records.opening())
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        every = [timer for node in lab.app.screen.query("*") for timer in node._timers]
        await until(pilot, lambda: not [timer for timer in every if timer._task and timer._active.is_set()])


async def test_a_failed_turn_is_a_toast_and_the_interview_goes_on(console: FakeConsole, until: Until) -> None:
    lab = Lab(console, until, [], [BackendError("the server is away", next_step="tcao doctor")])
    async with lab.app.run_test(size=(80, 24)) as pilot:
        await lab.open(pilot)
        await pilot.press(*"go", "enter")
        await until(pilot, lambda: bool(lab.app._notifications))
        assert "the server is away" in next(iter(lab.app._notifications)).message
        await pilot.press(*"again", "enter")
        await until(pilot, lambda: ("say", "again") in lab.acts)


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
