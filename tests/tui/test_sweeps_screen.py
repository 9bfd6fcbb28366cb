from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tcao_tui.domain.sweep_table import FollowedSweep
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.panes.compare.pane import ComparePane
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.panes.sweeps.lines import cell_lines, header_line, state_line, sweep_lines, verdict_lines
from tcao_tui.tui.panes.sweeps.pane import SweepsPane
from tcao_tui.tui.screens.run import RunScreen
from tcao_tui.tui.screens.sweeps import SweepsScreen
from tcao_tui.tui.widgets.line_view import Line, LineView
from tests.fakes import sweep_tables as tables
from tests.fakes.console import FakeConsole, FakeSweeps
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare


def text_of(line: Line) -> str:
    return "".join(text for text, _ink in line)


def seen(app: TcaoApp, place: str) -> str:
    return "\n".join(text_of(line) for line in app.screen.query_one(place, LineView).lines)


@pytest.fixture
def app(console: FakeConsole) -> TcaoApp:
    console.sweeps = FakeSweeps(tables.working(), tables.over(), tables.broken())
    return TcaoApp(console.ports(), theme="dark")


async def opened(pilot: Pilot[object], until: Until) -> SweepsPane:
    await until(pilot, lambda: any(pane.is_filled for pane in pilot.app.screen.query(RunListPane)))
    await pilot.press("w")
    await until(pilot, lambda: any(pane.is_filled for pane in pilot.app.screen.query(SweepsPane)))
    return pilot.app.screen.query_one(SweepsPane)


async def test_w_shows_all_sweeps_and_the_cells_of_the_one_under_the_cursor(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        first, second, third = seen(app, "#list").split("\n")
        assert "ranks" in first
        assert "3/5 over" in first
        assert "score 98.0% · cell 2: learning_rate 0.0001, lora_rank 32" in first
        assert "val 0.29 · cell 2: seed 2" in second
        assert "cannot be read" in third
        assert "learning_rate  lora_rank" in seen(app, "#titles")
        cells = seen(app, "#cells").split("\n")
        assert cells[1].startswith(" ★")
        assert "● running" in cells[2]
        assert "○ waiting" in cells[3]
        assert "✗ not started" in cells[4]
        assert "may be chance" in seen(app, "#verdict").replace("\n", "")
        await pilot.press("down")
        await until(pilot, lambda: "seeds" in seen(app, "#state"))
        assert "by val, lower is better" in seen(app, "#state")
        await pilot.press("down")
        await until(pilot, lambda: not app.screen.query_one("#state").display)
        await pilot.press("enter", "escape")
        await until(pilot, lambda: bool(app.screen.query(RunListPane)))


async def test_enter_goes_to_the_cells_and_then_to_the_run_of_one(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("enter", "down")
        await until(pilot, lambda: pane.row is not None and pane.row.index == 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until(pilot, lambda: ("open", "20260101-100002-ranks-02-abcd") in console.asked)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SweepsScreen))
        assert pane.row is not None
        assert pane.row.index == 2
        await pilot.press("escape", "escape")
        await until(pilot, lambda: bool(app.screen.query(RunListPane)))


async def test_a_cell_without_a_run_says_why(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press("tab", "end")
        await until(pilot, lambda: "cell 5: the backend is away: no route" in seen(app, "#verdict"))
        await pilot.press("up", "enter")
        await until(pilot, lambda: any("no run yet" in toast.message for toast in app._notifications))


async def test_v_compares_the_runs_of_the_cells(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("v")
        await until(pilot, lambda: bool(app.screen.query(ComparePane)))
        assert ("compare", *(f"20260101-10000{i}-ranks-0{i}-abcd" for i in (1, 2, 3))) in console.asked


async def test_the_table_follows_the_runs_and_the_cursor_stays_on_its_sweep(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        console.sweeps.all = [tables.over(), FollowedSweep("new", None, "nothing yet"), tables.working()]
        await until(pilot, lambda: seen(app, "#list").split("\n")[0].startswith(" ✓ seeds"))
        assert "ranks" in seen(app, "#state")
        assert app.screen.query_one("#list", LineView).cursor == 2
    assert console.sweeps.closed


async def test_without_sweeps_it_says_how_to_make_one(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        assert "tcao sweep PLAN --set" in seen(app, "#list")
        await pilot.press("down", "enter", "tab", "v")
        assert any("Fewer than two" in toast.message for toast in app._notifications)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_line_fits_whatever_was_swept_and_carries_no_control_characters(width: int) -> None:
    for sweep in (tables.working(), tables.over(), tables.wide()):
        assert sweep.table is not None
        found = sweep.table
        lines = [state_line(found, width), header_line(found, width), *cell_lines(found, width)]
        lines += [*sweep_lines([sweep], "", width), *verdict_lines(found, found.rows[-1], width)]
        assert [text_of(line) for line in lines if cell_len(text_of(line).rstrip()) > width] == []
        assert "\x1b" not in "".join(text_of(line) for line in lines)


def test_the_values_of_every_setting_are_seen_where_there_is_room() -> None:
    sweep = tables.working()
    assert sweep.table is not None
    titles = text_of(header_line(sweep.table, 80))
    assert [title in titles for title in ("learning_rate", "lora_rank", "score")] == [True] * 3


@pytest.mark.parametrize("size", SIZES)
def test_sweeps(snap_compare: SnapCompare, app: TcaoApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await opened(pilot, until)
        await pilot.press("tab", "end")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settled)
