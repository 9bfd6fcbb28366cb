from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.message import Message

from tcao_tui.domain.run_view import RunStatus, RunSummary
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.feed import RunsFeed
from tcao_tui.tui.messages import OpenRun
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.panes.run_list.table import COLUMNS, arranged, columns_for, row_line
from tcao_tui.tui.screens.run import RunScreen
from tcao_tui.tui.widgets.find_line import FindLine
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes import views
from tests.fakes.console import FakeConsole, FakeRuns
from tests.tui.conftest import Until


def shows(app: TcaoApp, count: int) -> Callable[[], bool]:
    return lambda: len(app.screen.query_one(RunListPane).shown) == count


def rows_text(app: TcaoApp) -> list[str]:
    return ["".join(text for text, _ink in line) for line in app.screen.query_one("#rows", LineView).lines]


async def test_an_empty_list_says_what_to_do(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: any("No runs yet" in row for row in rows_text(app)))
        assert any("tcao run PLAN" in row for row in rows_text(app))
        await pilot.press("d")
        await until(pilot, lambda: ("open", "run-demo") in console.asked)
        assert isinstance(app.screen, RunScreen)


async def test_every_state_has_its_symbol_and_word(console: FakeConsole, until: Until) -> None:
    console.runs = FakeRuns(views.a_list_of_runs())
    app = TcaoApp(console.ports())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, shows(app, len(RunStatus)))
        text = "\n".join(rows_text(app))
        assert all(status.value in text for status in RunStatus)
        assert "unknown" in text
        assert "$0.00" in text
        assert "nan" in text


async def test_enter_opens_the_run_under_the_cursor(console: FakeConsole, until: Until) -> None:
    console.runs = FakeRuns(views.a_list_of_runs())
    seen: list[Message] = []
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24), message_hook=seen.append) as pilot:
        await until(pilot, shows(app, len(RunStatus)))
        await pilot.press("down", "j", "enter")
        await until(pilot, lambda: any(isinstance(m, OpenRun) for m in seen))
        opened = next(m for m in seen if isinstance(m, OpenRun))
        assert opened.run_id == console.runs.all[2].run_id


async def test_the_filter_finds_by_name_model_and_state_and_escape_clears_it(
    console: FakeConsole, until: Until
) -> None:
    console.runs = FakeRuns(views.a_list_of_runs())
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, shows(app, len(RunStatus)))
        await pilot.press("slash", *"qwen3-8b fail")
        await pilot.pause()
        assert [r.status for r in app.screen.query_one(RunListPane).shown] == []
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen.query_one(RunListPane).shown) == len(RunStatus)
        assert not app.screen.query_one(FindLine).display
        await pilot.press("slash", *"lost", "enter")
        await pilot.pause()
        assert [r.status for r in app.screen.query_one(RunListPane).shown] == [RunStatus.LOST]
        assert app.screen.query_one(FindLine).display


async def test_the_cursor_stays_on_its_run_when_another_arrives(console: FakeConsole, until: Until) -> None:
    rows = views.a_list_of_runs()
    console.runs = FakeRuns(rows)
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, shows(app, len(rows)))
        await pilot.press("down", "down", "down")
        chosen = app.screen.query_one(RunListPane).row
        console.runs.all = [views.a_summary(run_id="20261126-000000-new-ffff", created_at=views.STARTED_AT), *rows]
        console.runs.marker += 1
        app.screen.query_one(RunsFeed).ask()
        await until(pilot, shows(app, len(rows) + 1))
        assert app.screen.query_one(RunListPane).row == chosen


async def test_an_unchanged_store_is_not_queried_again(console: FakeConsole, until: Until) -> None:
    console.runs = FakeRuns([views.a_summary(status=RunStatus.COMPLETED)])
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, shows(app, 1))
        feed = app.screen.query_one(RunsFeed)
        for _ in range(4):
            assert feed.read() == []
        assert console.runs.queries == 1


async def test_a_run_that_dies_silently_is_found_without_a_commit(console: FakeConsole, until: Until) -> None:
    console.runs = FakeRuns([views.a_summary()])
    app = TcaoApp(console.ports())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, shows(app, 1))
        console.runs.all = [views.a_summary(status=RunStatus.LOST)]
        feed = app.screen.query_one(RunsFeed)
        changed = [message for _ in range(4) for message in feed.read()]
        assert len(changed) == 1


async def test_a_thousand_runs_are_made_into_lines_only_where_looked_at(console: FakeConsole, until: Until) -> None:
    console.runs = FakeRuns([views.a_summary(run_id=f"run-{i:04d}", step=i % 80) for i in range(1_000)])
    app = TcaoApp(console.ports())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, shows(app, 1_000))
        await pilot.press("end")
        await pilot.pause()
        view = app.screen.query_one("#rows", LineView)
        assert view.cursor == 999
        assert view.scroll_offset.y + view.size.height == 1_000


@pytest.mark.parametrize("reverse", [False, True])
def test_each_column_sorts_unknown_values_too(reverse: bool) -> None:
    rows = views.a_list_of_runs()
    for index in range(len(COLUMNS)):
        kept = arranged(rows, wanted="", sorted_by=index, reverse=reverse)
        assert {r.run_id for r in kept} == {r.run_id for r in rows}


@pytest.mark.parametrize("width", [64, 74, 80, 92, 105, 120, 160, 240])
def test_a_row_is_as_wide_as_the_list(width: int) -> None:
    from rich.cells import cell_len

    assert sum(room + 2 for _column, room in columns_for(width)) <= width
    for row in views.a_list_of_runs():
        wide: RunSummary = row
        assert cell_len("".join(text for text, _ink in row_line(wide, width, views.STARTED_AT))) <= width
