from __future__ import annotations

from textual.widgets import Input

from tcao_tui.errors import PlanInvalid
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.screens.new_run import NewRunScreen
from tcao_tui.tui.screens.run import RunScreen
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes.console import FakeConsole
from tests.tui.conftest import Until


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def summary(app: TcaoApp) -> str:
    lines = app.screen.query_one("#summary", LineView).lines
    return "\n".join("".join(text for text, _ink in line) for line in lines)


def launched(console: FakeConsole) -> bool:
    return any(asked[0] == "launch" for asked in console.asked)


async def test_what_costs_money_starts_only_on_the_typed_word(console: FakeConsole, until: Until) -> None:
    console.is_free = False
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(NewRunScreen(clock=Clock()))
        await pilot.pause()
        await pilot.press(*"plan.yaml", "enter")
        await until(pilot, lambda: "$4.20" in summary(app))
        await pilot.press("y", "enter")
        await pilot.pause()
        assert isinstance(app.screen, NewRunScreen)
        assert not launched(console)
        await pilot.press(*"approve", "enter")
        await until(pilot, lambda: launched(console) and isinstance(app.screen, RunScreen))


async def test_enter_alone_starts_nothing(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(NewRunScreen(clock=Clock()))
        await pilot.pause()
        await pilot.press(*"plan.yaml", "enter")
        await until(pilot, lambda: "$0.00" in summary(app))
        await pilot.press("enter")
        await pilot.pause()
        assert not isinstance(app.screen, NewRunScreen)
        assert not launched(console)


async def test_a_key_pressed_before_the_plan_could_be_read_is_no_consent(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(NewRunScreen(clock=lambda: 5.0))
        await pilot.pause()
        await pilot.press(*"plan.yaml", "enter")
        await until(pilot, lambda: "$0.00" in summary(app))
        await pilot.press("y", "enter")
        await pilot.pause()
        assert not launched(console)


async def test_a_plan_that_does_not_validate_says_why_and_may_be_typed_again(
    console: FakeConsole, until: Until
) -> None:
    console.refusal = PlanInvalid("training.lora_rnak: unknown key, did you mean lora_rank?", where="plan.yaml:4")
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(NewRunScreen(clock=Clock()))
        await pilot.pause()
        await pilot.press(*"plan.yaml", "enter")
        await until(pilot, lambda: "lora_rank" in summary(app))
        console.refusal = None
        app.screen.query_one(Input).value = "better.yaml"
        await pilot.press("enter")
        await until(pilot, lambda: "$0.00" in summary(app))
