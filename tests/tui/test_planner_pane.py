from __future__ import annotations

import pytest

from tcao_tui.domain.interview import Asked, Entry, Interrupted, Said, ToolEnded, ToolStarted
from tcao_tui.errors import BackendError, UsageError
from tcao_tui.planner.port import Countdown, TextDelta, ThinkingDelta, ToolProgress
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.panes.planner.reply import Reply
from tcao_tui.tui.screens.interview import InterviewScreen
from tests.fakes import interview_records as records
from tests.fakes.console import FakeConsole
from tests.fakes.interview_console import Hold, Step
from tests.fakes.interview_lab import Clock, Lab
from tests.tui.conftest import Until


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
        await until(pilot, lambda: lab.pane.talk.card.form is not None and "evals" in lab.pane.talk.card.form.given)
        assert lab.pane.talk.card.form is not None
        assert lab.pane.talk.card.form.given["evals"].value == "use 1 2 rows"


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
        assert lab.pane.talk.card.form is not None
        assert lab.pane.talk.card.form.given["goal"].value == "sums"


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
        assert lab.pane.talk.card.form is not None


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
