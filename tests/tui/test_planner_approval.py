from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Input

from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import BackendError
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.panes.planner.pane import PlannerPane
from tcao_tui.tui.screens.approve_plan import ApprovePlanScreen, Consent
from tcao_tui.tui.screens.interview import InterviewScreen
from tcao_tui.tui.screens.run import RunScreen
from tests.fakes.console import FakeConsole
from tests.fakes.interview_console import FakeSession
from tests.fakes.interview_lab import Clock
from tests.fakes.interview_records import HASH, early_sheet, finished_sheet, opening
from tests.tui.conftest import Until


class Answers:
    """What the dialog was answered with."""

    def __init__(self) -> None:
        self.all: list[Consent | None] = []

    def __call__(self, consent: Consent | None) -> None:
        self.all.append(consent)


def a_dialog(sheet: PlanSheet, *, can_run: bool = True) -> ApprovePlanScreen:
    return ApprovePlanScreen(sheet, can_run=can_run, clock=Clock())


@pytest.mark.parametrize(
    ("is_free", "typed", "consent"),
    [
        (True, "y", Consent(HASH, None)),
        (True, "yes", None),
        (True, "12.50", None),
        (False, "12.5", Consent(HASH, 12.5)),
        (False, "$12.50", Consent(HASH, 12.5)),
        (False, "y", None),
        (False, "approve", None),
        (False, "13", None),
        (False, "12", None),
        (False, "nan", None),
        (False, "1e309", None),
    ],
)
async def test_consent_is_y_where_nothing_costs_and_the_cap_in_dollars_where_it_does(
    console: FakeConsole, until: Until, is_free: bool, typed: str, consent: Consent | None
) -> None:
    app, answers = TcaoApp(console.ports()), Answers()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(a_dialog(finished_sheet(is_free=is_free)), answers)
        await pilot.pause()
        await pilot.press(*typed, "enter")
        await until(pilot, lambda: bool(answers.all) or app.screen.query_one(Input).value == "")
        await pilot.pause()
        if consent is None:
            assert not answers.all, "a wrong word asks again"
            await pilot.press("enter")
        await until(pilot, lambda: answers.all == [consent])


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_enter_alone_and_esc_are_no(console: FakeConsole, until: Until, key: str) -> None:
    app, answers = TcaoApp(console.ports()), Answers()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(a_dialog(finished_sheet()), answers)
        await pilot.pause()
        await pilot.press(key)
        await until(pilot, lambda: answers.all == [None])


async def test_keys_pressed_before_the_dialog_could_be_read_count_for_nothing(
    console: FakeConsole, until: Until
) -> None:
    app, answers = TcaoApp(console.ports()), Answers()
    now = [100.0]
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ApprovePlanScreen(finished_sheet(is_free=True), can_run=True, clock=lambda: now[0]), answers)
        await pilot.pause()
        await pilot.press("y", "enter")
        await pilot.pause()
        assert answers.all == []
        assert app.screen.query_one(Input).value == ""
        now[0] += 0.5
        await pilot.press("y", "enter")
        await until(pilot, lambda: answers.all == [Consent(HASH, None)])


async def test_without_a_cap_the_typed_amount_becomes_the_cap(console: FakeConsole, until: Until) -> None:
    sheet = finished_sheet()
    assert sheet.plan is not None
    budget = sheet.plan.budget.model_copy(update={"max_cost_usd": None})
    app, answers = TcaoApp(console.ports()), Answers()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(a_dialog(replace(sheet, plan=sheet.plan.model_copy(update={"budget": budget}))), answers)
        await pilot.pause()
        await pilot.press(*"7.25", "enter")
        await until(pilot, lambda: answers.all == [Consent(HASH, 7.25)])


async def open_pane(app: TcaoApp, until: Until, pilot: object) -> PlannerPane:
    app.push_screen(InterviewScreen(InterviewWanted(), clock=Clock()))
    await until(pilot, lambda: isinstance(app.screen, InterviewScreen) and bool(app.screen.query(PlannerPane)))
    pane = app.screen.query_one(PlannerPane)
    await until(pilot, lambda: pane.session is not None and not pane.is_busy)
    return pane


async def test_an_approved_plan_ends_on_the_screen_of_its_run(console: FakeConsole, until: Until) -> None:
    console.session = FakeSession([opening()[:2]], sheet_of=lambda _state: finished_sheet(is_free=True))
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_pane(app, until, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ApprovePlanScreen))
        await pilot.press("y", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert ("approve", HASH, None) in console.session.asked


async def test_a_method_without_a_worker_ends_with_the_place_of_the_plan(console: FakeConsole, until: Until) -> None:
    console.session = FakeSession(sheet_of=lambda _state: finished_sheet(is_free=True), run_id="")
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_pane(app, until, pilot)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(app.screen, ApprovePlanScreen))
        await pilot.press("y", "enter")
        await until(pilot, lambda: any("written to runs/plans/tickets" in n.message for n in app._notifications))
        assert isinstance(app.screen, InterviewScreen)
        await until(pilot, lambda: not app.screen.query_one(PlannerPane).is_busy)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, InterviewScreen), "there is nothing left to approve"


async def test_a_plan_whose_worker_did_not_start_can_be_tried_again(console: FakeConsole, until: Until) -> None:
    console.session = session = FakeSession(sheet_of=lambda _state: finished_sheet(is_free=True))
    session.worker_error = BackendError("the engine did not start", next_step="tcao doctor")
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await open_pane(app, until, pilot)
        for attempt in (1, 2):
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ApprovePlanScreen))
            await pilot.press("y", "enter")
            await until(pilot, lambda attempt=attempt: session.asked.count(("approve", HASH, None)) == attempt)
            await until(pilot, lambda: not pane.is_busy)
            session.worker_error = None
        await until(pilot, lambda: isinstance(app.screen, RunScreen))


async def test_a_plan_with_open_gates_is_not_shown_for_approval(console: FakeConsole, until: Until) -> None:
    console.session = FakeSession(sheet_of=early_sheet)
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await open_pane(app, until, pilot)
        await pilot.press("ctrl+g")
        await pilot.pause()
        assert isinstance(app.screen, InterviewScreen)
        lines = pane.talk.query_one("#status").lines
        assert "not yet: evals: evals.score.file" in "".join(text for text, _ink in lines[0])


async def test_the_dialog_never_opens_by_itself(console: FakeConsole, until: Until) -> None:
    console.session = FakeSession([opening()[:2]], sheet_of=lambda _state: finished_sheet())
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await open_pane(app, until, pilot)
        await pilot.press(*"but first")
        await pilot.pause()
        assert isinstance(app.screen, InterviewScreen)
        assert pane.talk.composer.text == "but first"
