"""What is about to expire is on top of the run list and of a run, and is told once."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tcao_tui.domain.expiring import Expiring, expiring
from tcao_tui.errors import TcaoError
from tcao_tui.services.expiry_watch import ExpiryReport
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.expiry_bar import ExpiryBar, ExpiryFeed, expiry_lines
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tests.fakes import views
from tests.fakes.console import FakeConsole, FakeRuns
from tests.fakes.listed_checkpoints import NOW, of_grades
from tests.tui.checkpoint_screens import seen, text_of, told
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare

FOUND = expiring(of_grades()[:1], now=NOW)


class FakeExpiry:
    def __init__(self, *found: Expiring) -> None:
        self.found, self.news = found, found
        self.polls = 0
        self.error: TcaoError | None = None

    def poll(self) -> ExpiryReport:
        self.polls += 1
        if self.error is not None:
            raise self.error
        news, self.news = self.news, ()
        return ExpiryReport(self.found, news)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcao_tui.tui.expiry_bar.START_SECONDS", 0.01)


def bar(app: TcaoApp) -> str:
    return "".join(seen(app, "ExpiryBar LineView"))


@pytest.mark.parametrize("run_ref", [None, "tickets"])
async def test_what_is_about_to_expire_is_named_on_top_and_told_once(
    console: FakeConsole, until: Until, run_ref: str | None
) -> None:
    source = console.expiry = FakeExpiry(*FOUND)
    app = TcaoApp(console.ports(), run_ref=run_ref)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "grades step 50 expires in 2d00h, and paused it could not go on" in bar(app))
        assert "b lists the weights" in bar(app)
        assert told(app).count("grades step 50 expires") == 1
        polls = source.polls
        app.screen.query_one(ExpiryFeed).look_again()
        await until(pilot, lambda: source.polls > polls)
        assert told(app).count("grades step 50 expires") == 1
        source.found = ()
        app.screen.query_one(ExpiryFeed).look_again()
        await until(pilot, lambda: bar(app) == "")
        assert app.screen.query_one(ExpiryBar).size.height == 0


async def test_a_store_that_cannot_be_read_is_not_said_twice(console: FakeConsole, until: Until) -> None:
    source = console.expiry = FakeExpiry(*FOUND)
    source.error = TcaoError("the disk failed")
    app = TcaoApp(console.ports())
    async with app.run_test() as pilot:
        await until(pilot, lambda: source.polls > 0)
        await pilot.pause()
        assert told(app) == ""
        assert bar(app) == ""


def test_the_line_fits_and_counts_the_others() -> None:
    assert expiry_lines((), 80) == []
    (line,) = expiry_lines((*FOUND, *FOUND), 80)
    assert len(text_of(line)) == 80
    assert text_of(line).startswith(" ▲ 2 resume points expire soon; grades step 50 expires in 2d00h")


def test_run_list_with_what_is_about_to_expire(snap_compare: SnapCompare, console: FakeConsole, until: Until) -> None:
    console.expiry = FakeExpiry(*FOUND)
    console.runs = FakeRuns(views.a_list_of_runs())
    app = TcaoApp(console.ports(), theme="dark")

    async def settled(pilot: Pilot[object]) -> None:
        await until(pilot, lambda: bool(app.screen.query_one(RunListPane).shown) and bool(bar(app)))

    assert snap_compare(app, terminal_size=SIZES[0], run_before=settled)
