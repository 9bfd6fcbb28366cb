from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import pytest
from textual.pilot import Pilot

from tcao_tui.domain.interview import Entry
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.panes.planner.pane import PlannerPane
from tests.fakes import interview_records as records
from tests.fakes.console import FakeConsole
from tests.fakes.interview_console import FakeSession
from tests.tui.conftest import Until

SIZES = [(80, 24), (120, 36), (160, 48)]
READY = records.finished_sheet()


class SnapCompare(Protocol):
    def __call__(self, app: TcaoApp, *, terminal_size: tuple[int, int], run_before: object) -> bool: ...


Settled = Callable[[Pilot[object]], object]


def pressing(until: Until, *keys: str) -> Settled:
    async def settled(pilot: Pilot[object]) -> None:
        def is_idle() -> bool:
            panes = pilot.app.screen.query(PlannerPane)
            return bool(panes) and panes.first().session is not None and not panes.first().is_busy

        await until(pilot, is_idle)
        await pilot.pause(0.5)  # the grace period of a card, by the real clock
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause()

    return settled


def an_app(
    console: FakeConsole, entries: Sequence[Entry], sheet_of: Callable[[InterviewState], PlanSheet], theme: str = "dark"
) -> TcaoApp:
    console.session = FakeSession([entries], sheet_of=sheet_of)
    return TcaoApp(console.ports(), interview=InterviewWanted(), theme=theme)


@pytest.mark.parametrize("size", SIZES)
def test_first_question(snap_compare: SnapCompare, console: FakeConsole, until: Until, size: tuple[int, int]) -> None:
    app = an_app(console, records.opening(), records.empty_sheet)
    assert snap_compare(app, terminal_size=size, run_before=pressing(until))


@pytest.mark.parametrize("size", SIZES)
def test_amid_the_interview(
    snap_compare: SnapCompare, console: FakeConsole, until: Until, size: tuple[int, int]
) -> None:
    app = an_app(console, records.after_the_data(), records.early_sheet)
    assert snap_compare(app, terminal_size=size, run_before=pressing(until, "enter", "down", "enter"))


@pytest.mark.parametrize("size", SIZES)
def test_finished_plan(snap_compare: SnapCompare, console: FakeConsole, until: Until, size: tuple[int, int]) -> None:
    app = an_app(console, records.after_the_data()[:-1], lambda _state: READY)
    assert snap_compare(app, terminal_size=size, run_before=pressing(until, "ctrl+o", "down", "down", "enter", "down"))


@pytest.mark.parametrize("size", SIZES)
def test_approval(snap_compare: SnapCompare, console: FakeConsole, until: Until, size: tuple[int, int]) -> None:
    app = an_app(console, records.after_the_data()[:-1], lambda _state: READY)
    assert snap_compare(app, terminal_size=size, run_before=pressing(until, "ctrl+g"))


@pytest.mark.parametrize("size", SIZES[:2])
def test_edit_by_hand(snap_compare: SnapCompare, console: FakeConsole, until: Until, size: tuple[int, int]) -> None:
    app = an_app(console, records.after_the_data()[:-1], lambda _state: READY)
    keys = (*"/edit method", "enter", "down")
    assert snap_compare(app, terminal_size=size, run_before=pressing(until, *keys))


def test_commands_are_listed(snap_compare: SnapCompare, console: FakeConsole, until: Until) -> None:
    app = an_app(console, records.after_the_data()[:-1], lambda _state: READY)
    assert snap_compare(app, terminal_size=(120, 36), run_before=pressing(until, "slash"))


def test_an_opened_tool(snap_compare: SnapCompare, console: FakeConsole, until: Until) -> None:
    app = an_app(console, records.after_the_data()[:-1], records.early_sheet)
    keys = ("shift+tab", "up", "up", "enter")
    assert snap_compare(app, terminal_size=(120, 36), run_before=pressing(until, *keys))


def test_the_interview_in_the_light_theme(snap_compare: SnapCompare, console: FakeConsole, until: Until) -> None:
    app = an_app(console, records.after_the_data(), records.early_sheet, theme="light")
    assert snap_compare(app, terminal_size=(120, 36), run_before=pressing(until))
