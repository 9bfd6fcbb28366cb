from __future__ import annotations

from typing import Protocol

import pytest
from textual.pilot import Pilot

from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.panes.training.pane import TrainingPane
from tests.fakes import method_views, views
from tests.fakes.console import FakeConsole, FakeRuns, FakeSource
from tests.fakes.scripted_numbers import plan_of
from tests.tui.conftest import Until

SIZES = [(80, 24), (120, 36), (160, 48)]
STATES = ["running", "lost", "completed", "waiting", "sampled", "failed", "resumed"]


class SnapCompare(Protocol):
    def __call__(self, app: TcaoApp, *, terminal_size: tuple[int, int], run_before: object) -> bool: ...


def a_view(state: str) -> RunView:
    make = {name: getattr(views, name) for name in STATES}[state]
    return make()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_training_pane(
    snap_compare: SnapCompare, console: FakeConsole, until: Until, state: str, size: tuple[int, int]
) -> None:
    console.source = FakeSource(a_view(state))

    async def settled(pilot: Pilot[object]) -> None:
        await until(pilot, lambda: pilot.app.screen.query_one(TrainingPane).view is not None)

    app = TcaoApp(console.ports(), run_ref="tickets", theme="dark")
    assert snap_compare(app, terminal_size=size, run_before=settled)


@pytest.mark.parametrize("keys", [("g",), ("z", "e", "left"), ("tab",), ("tab", "tab", "tab"), ("question_mark",)])
def test_training_pane_after_keys(
    snap_compare: SnapCompare, console: FakeConsole, until: Until, keys: tuple[str, ...]
) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await until(pilot, lambda: pilot.app.screen.query_one(TrainingPane).view is not None)
        await pilot.press(*keys)
        await pilot.pause()

    app = TcaoApp(console.ports(), run_ref="tickets", theme="dark")
    assert snap_compare(app, terminal_size=(120, 36), run_before=settled)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_empty", [True, False])
def test_run_list(
    snap_compare: SnapCompare, console: FakeConsole, until: Until, is_empty: bool, size: tuple[int, int]
) -> None:
    rows = [] if is_empty else views.a_list_of_runs()
    console.runs = FakeRuns(rows)

    async def settled(pilot: Pilot[object]) -> None:
        pane = pilot.app.screen.query_one(RunListPane)
        await until(pilot, lambda: pane.is_filled and len(pane.shown) == len(rows))

    assert snap_compare(TcaoApp(console.ports(), theme="dark"), terminal_size=size, run_before=settled)


def test_run_list_in_the_light_theme(snap_compare: SnapCompare, console: FakeConsole, until: Until) -> None:
    console.runs = FakeRuns(views.a_list_of_runs())

    async def settled(pilot: Pilot[object]) -> None:
        await until(pilot, lambda: bool(pilot.app.screen.query_one(RunListPane).shown))

    assert snap_compare(TcaoApp(console.ports(), theme="light"), terminal_size=(120, 36), run_before=settled)


METHODS = ["dpo", "rl", "pipeline", "amid_a_pipeline", "a_pilot_that_stopped_the_run"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("method", METHODS)
def test_training_pane_of_other_methods(
    snap_compare: SnapCompare, console: FakeConsole, until: Until, method: str, size: tuple[int, int]
) -> None:
    console.source = FakeSource(getattr(method_views, method)())
    console.plan = plan_of("rlhf")

    async def settled(pilot: Pilot[object]) -> None:
        await until(pilot, lambda: pilot.app.screen.query_one(TrainingPane).view is not None)
        await pilot.press("shift+tab")
        await pilot.pause()

    app = TcaoApp(console.ports(), run_ref="tickets", theme="dark")
    assert snap_compare(app, terminal_size=size, run_before=settled)
