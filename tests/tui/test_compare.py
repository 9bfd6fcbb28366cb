from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tcao_tui.domain.comparison import ABSENT, compare
from tcao_tui.errors import UsageError
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.panes.compare.lines import Reading, axis_line, chart_spec, difference_lines, moved_cursor, run_lines
from tcao_tui.tui.panes.compare.pane import ComparePane
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.widgets.line_chart import LineChart
from tcao_tui.tui.widgets.line_view import Line, LineView
from tests.fakes import views
from tests.fakes.compared_runs import compared_run, compared_runs
from tests.fakes.console import FakeConsole, FakeRuns
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare

NAMES = ("base", "tickets\x1b[31m-lr", "rank-64-with-a-very-long-name-that-goes-on")


def text_of(line: Line) -> str:
    return "".join(text for text, _ink in line)


@pytest.fixture
def app(console: FakeConsole) -> TcaoApp:
    console.runs = FakeRuns(views.a_list_of_runs())
    return TcaoApp(console.ports(), theme="dark")


async def opened(pilot: Pilot[object], until: Until, count: int = 3) -> ComparePane:
    await until(pilot, lambda: bool(pilot.app.screen.query_one(RunListPane).shown))
    await pilot.press(*["space"] * count, "v")
    await until(
        pilot, lambda: any(view.lines for view in pilot.app.screen.query("ComparePane #runs").results(LineView))
    )
    return pilot.app.screen.query_one(ComparePane)


async def test_runs_marked_with_space_are_compared_with_v(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        assert ("compare", *(row.run_id for row in views.a_list_of_runs()[:3])) in console.asked
        spec = pane.query_one(LineChart).spec
        assert [curve.tag for curve in spec.curves] == ["a", "b", "c"]
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.screen.query(RunListPane)))
        marked = [text_of(line) for line in app.screen.query_one("#rows", LineView).lines]
        assert [line.startswith("▸") for line in marked[:4]] == [True, True, True, False]
        assert "3 marked" in text_of(app.screen.query_one("#counts", LineView).lines[0])


async def test_one_mark_is_compared_with_the_run_under_the_cursor_and_none_says_how(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: bool(app.screen.query_one(RunListPane).shown))
        await pilot.press("v")
        assert not [asked for asked in console.asked if asked[0] == "compare"]
        assert any("space" in note.message for note in app._notifications)
        await pilot.press("space", "v")
        first, second, *_ = (row.run_id for row in views.a_list_of_runs())
        await until(pilot, lambda: ("compare", first, second) in console.asked)


async def test_what_cannot_be_compared_is_told(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    console.refusal = UsageError("9 runs are too many to tell apart")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.screen.query_one(RunListPane).shown))
        await pilot.press("space", "v")
        await until(pilot, lambda: any("too many" in note.message for note in app._notifications))
        assert app.screen.query(RunListPane)


async def test_x_goes_through_the_axes_and_m_through_the_metrics(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        pane = await opened(pilot, until, 2)
        seen = [pane.found.axis]
        for _ in range(4):
            await pilot.press("x")
            seen.append(pane.found.axis)
        assert seen == ["step", "tokens", "seconds", "cost", "step"]
        await pilot.press("m", *"val_mean", "enter")
        await until(pilot, lambda: pane.found.metric.key == "val_mean_nll")
        await pilot.press("e", "l")
        spec = pane.query_one(LineChart).spec
        assert spec.log_y
        assert {curve.smoothing for curve in spec.curves} == {0.6}


async def test_the_value_cursor_reads_every_run_at_one_place_and_escape_drops_it(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        pane = await opened(pilot, until, 2)
        await pilot.press("left", "left")
        assert pane.reading.cursor == 48
        assert "at step 48" in text_of(pane.query_one("#runs", LineView).lines[0])
        await pilot.press("escape")
        assert pane.reading.cursor is None
        assert app.screen.query(ComparePane)


async def test_r_reads_the_runs_again_and_keeps_axis_and_metric(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot, until, 2)
        await pilot.press("x", "r")
        await until(pilot, lambda: sum(asked[0] == "compare" for asked in console.asked) == 2)
        assert pane.found.axis == "tokens"
        assert app.screen.query_one(ComparePane) is pane


def test_a_value_is_read_where_it_was_last_taken_and_a_run_that_had_not_begun_has_none() -> None:
    found = compare(compared_runs(*NAMES).runs, axis="cost", metric="val_mean_nll")
    assert moved_cursor(found, None, -1) == pytest.approx(0.010)
    rows = [text_of(line) for line in run_lines(found, 160, 0.0021)]
    first = found.runs[0].view.series["val_mean_nll"].value_at(10)
    assert f"{first:.4g}" in rows[1]
    assert "at $0.0021" in rows[0]
    assert " - " in [text_of(line) for line in run_lines(found, 160, 0.0005)][1]


def test_costs_far_below_a_cent_stay_apart_on_the_chart() -> None:
    spec = chart_spec(compare(compared_runs(*NAMES).runs, axis="cost"), Reading(cursor=0.004))
    assert [len(curve.series) for curve in spec.curves] == [40, 50, 60]
    assert spec.cursor is not None
    assert spec.cursor * spec.step_size == pytest.approx(0.004)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("width", [40, 78, 110, 200])
def test_every_line_fits_and_has_no_control_character(count: int, width: int) -> None:
    found = compared_runs(*(NAMES * 3)[:count])
    odd = (
        replace(found.differences[0], path="a.very.long.path." * 4, values=("\x1b]0;x\x07宽" * 30,) * count)
        if found.differences
        else None
    )
    found = replace(found, differences=(*found.differences, *([odd] if odd else [])))
    for line in [*run_lines(found, width, None), *difference_lines(found, width), *run_lines(found, width, 30)]:
        assert cell_len(text_of(line)) <= width
        assert "\x1b" not in text_of(line)
    assert text_of(axis_line(found)).split()[-1] == "cost"


def test_a_run_without_the_metric_says_so_and_takes_no_curve() -> None:
    runs = [compared_run("one", 0), replace(compared_run("two", 1), ledger=None)]
    found = compare(runs, axis="tokens")
    assert [curve.tag for curve in chart_spec(found, Reading()).curves] == ["a"]
    assert "its record does not say tokens" in text_of(run_lines(found, 120, None)[2])


def test_the_best_of_all_is_starred_but_not_among_equals() -> None:
    found = compared_runs("one", "two")
    assert [("★" in text_of(line)) for line in run_lines(found, 120, None)[1:]] == [False, True]
    same = compare([compared_run("one", 0), compared_run("two", 0)])
    assert not any("★" in text_of(line) for line in run_lines(same, 120, None))


def test_settings_stand_in_columns_or_below_each_other_where_it_is_narrow() -> None:
    found = compared_runs(*NAMES)
    wide = [text_of(line) for line in difference_lines(found, 100)]
    assert wide[3].split() == ["training.warmup_steps", "-", "10", "-"]
    narrow = [text_of(line) for line in difference_lines(found, 40)]
    assert [line.split() for line in narrow[2:5]] == [["a", "0.001"], ["b", "0.002"], ["c", "0.003"]]
    assert [line.split() for line in narrow[6:8]] == [["ab", "16"], ["c", "64"]]
    alone = replace(found, differences=())
    assert "differ in their names only" in text_of(difference_lines(alone, 80)[0])
    planless = replace(alone, runs=tuple(replace(run, settings={}) for run in found.runs))
    assert "no plans" in text_of(difference_lines(planless, 80)[0])
    assert ABSENT not in "".join(wide)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [3, 8])
def test_compare(snap_compare: SnapCompare, app: TcaoApp, until: Until, count: int, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await opened(pilot, until, count)

    assert snap_compare(app, terminal_size=size, run_before=settled)
