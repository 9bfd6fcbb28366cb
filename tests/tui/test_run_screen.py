from __future__ import annotations

from dataclasses import replace

import pytest
from textual.message import Message

from tcao_tui.errors import BackendError
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.feed import RunFeed
from tcao_tui.tui.messages import ControlRun, ResumeRun, RunChanged
from tcao_tui.tui.panes.training.charts import Charts, Layout
from tcao_tui.tui.panes.training.pane import TrainingPane
from tcao_tui.tui.panes.training.panels import Panel, Panels
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tcao_tui.tui.widgets.line_chart import LineChart
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes import views
from tests.fakes.console import FakeConsole
from tests.tui.conftest import Until


def text_of(view: LineView) -> str:
    return "\n".join("".join(text for text, _ink in line) for line in view.lines)


def has_view(app: TcaoApp) -> bool:
    panes = app.screen.query(TrainingPane)
    return bool(panes) and panes.first().view is not None


async def test_a_watched_run_shows_its_state_steps_and_losses(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: has_view(app))
        head = text_of(app.screen.query_one("#head", LineView))
        assert "● running" in head
        assert "52/80" in head
        assert "$0.00" in head
        spec = app.screen.query_one("#main-chart", LineChart).spec
        assert [curve.name for curve in spec.curves] == ["train", "validation"]
        assert [mark.step for mark in spec.marks] == [20, 40]


async def test_nothing_is_drawn_again_while_nothing_changes(console: FakeConsole, until: Until) -> None:
    seen: list[Message] = []
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(120, 36), message_hook=seen.append) as pilot:
        await until(pilot, lambda: has_view(app))
        polls = console.source.polls
        app.screen.query_one(RunFeed).ask()
        await until(pilot, lambda: console.source.polls > polls)
        assert len({id(m) for m in seen if isinstance(m, RunChanged)}) == 1


async def test_a_new_step_reaches_the_chart(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: has_view(app))
        console.source.view = views.running(61)
        app.screen.query_one(RunFeed).ask()
        await until(pilot, lambda: "61/80" in text_of(app.screen.query_one("#head", LineView)))
        assert app.screen.query_one("#main-chart", LineChart).spec.curves[0].series.steps[-1] == 61


@pytest.mark.parametrize(("key", "verb"), [("p", "pause"), ("c", "checkpoint")])
async def test_keys_ask_the_worker(console: FakeConsole, until: Until, key: str, verb: str) -> None:
    seen: list[Message] = []
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24), message_hook=seen.append) as pilot:
        await until(pilot, lambda: has_view(app))
        await pilot.press(key)
        await until(pilot, lambda: ("control", views.RUN_ID, verb) in console.asked)
        assert any(isinstance(m, ControlRun) and m.verb == verb for m in seen)


async def test_stop_asks_first_and_no_is_the_answer_of_enter(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: has_view(app))
        await pilot.press("s", "enter")
        await until(pilot, lambda: has_view(app))
        assert not [asked for asked in console.asked if asked[0] == "control"]


async def test_a_lost_run_says_what_is_safe_and_r_resumes_it(console: FakeConsole, until: Until) -> None:
    console.source.view = views.lost()
    seen: list[Message] = []
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24), message_hook=seen.append) as pilot:
        await until(pilot, lambda: has_view(app))
        head = text_of(app.screen.query_one("#head", LineView))
        assert "checkpoint of step 40 is safe" in head
        assert f"tcao resume {views.RUN_ID}" in head
        offered = app.screen.query_one(KeyFooter).offered
        assert "run.resume" in offered
        assert "run.stop" not in offered
        await pilot.press("r")
        await until(pilot, lambda: ("resume", views.RUN_ID) in console.asked)
        assert any(isinstance(m, ResumeRun) for m in seen)


async def test_a_refusal_is_told_and_the_console_stays(console: FakeConsole, until: Until) -> None:
    console.refusal = BackendError("the engine is [gone]\x1b[2J", next_step="tcao engine start")
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: has_view(app))
        await pilot.press("c")
        await until(pilot, lambda: any("[gone]" in n.message for n in app._notifications))
        note = next(iter(app._notifications))
        assert "tcao engine start" in note.message
        assert "\x1b" not in note.message


async def test_a_source_that_fails_is_told_and_read_again(console: FakeConsole, until: Until) -> None:
    console.source.error = OSError("disk is gone")
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: any("disk is gone" in n.message for n in app._notifications))
        console.source.error = None
        app.screen.query_one(RunFeed).ask()
        await until(pilot, lambda: has_view(app))


async def test_the_cursor_reads_values_and_escape_takes_it_away(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: has_view(app))
        charts = app.screen.query_one(Charts)
        await pilot.press("left", "left")
        assert charts.look.cursor == 50
        assert app.screen.query_one("#main-chart", LineChart).spec.cursor == 50
        await pilot.press("escape")
        assert charts.look.cursor is None


async def test_the_grid_shows_every_metric_and_hides_the_panels(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: has_view(app))
        await pilot.press("g")
        await pilot.pause()
        shown = [c for c in app.screen.query("#grid LineChart").results(LineChart) if c.display and c.spec.curves]
        assert len(shown) == 8
        assert not app.screen.query_one(Panels).display
        await pilot.press("g")
        assert app.screen.query_one(Charts).arrangement is Layout.OVERVIEW


async def test_smoothing_and_log_change_the_large_chart_only(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: has_view(app))
        await pilot.press("e", "l")
        spec = app.screen.query_one("#main-chart", LineChart).spec
        assert spec.log_y
        assert [curve.smoothing for curve in spec.curves] == [0.6, 0.0]
        assert not app.screen.query_one("#side-0", LineChart).spec.log_y


async def test_a_chosen_metric_takes_the_large_chart(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: has_view(app))
        await pilot.press("m", *"perplex", "enter")
        await pilot.pause()
        assert app.screen.query_one("#main-chart", LineChart).spec.title == "validation perplexity"


async def test_panels_turn_and_the_log_is_read_only_while_looked_at(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: has_view(app))
        feed, panels = app.screen.query_one(RunFeed), app.screen.query_one(Panels)
        await pilot.press("tab")
        assert panels.chosen is Panel.EVENTS
        assert not feed.wants_log
        await pilot.press("tab")
        await until(pilot, lambda: "slow server" in text_of(app.screen.query_one("#body", LineView)))
        assert feed.wants_log
        await pilot.press("tab")
        assert not feed.wants_log


async def test_samples_step_back_to_before_training(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: has_view(app))
        assert "✓ as wanted" in text_of(app.screen.query_one("#body", LineView))
        await pilot.press("comma", "comma")
        body = text_of(app.screen.query_one("#body", LineView))
        assert "The the is a ticket" in body
        assert "✓ as wanted" not in body


async def test_the_source_is_closed_when_the_run_is_left(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: has_view(app))
        await pilot.press("escape")
        await until(pilot, lambda: console.source.closed)


async def test_a_directory_that_is_only_watched_offers_no_controls(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(replace(console.ports(), is_read_only=True), run_ref="dir")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: has_view(app))
        assert not {"run.stop", "run.pause", "run.resume", "run.checkpoint"} & {
            *app.screen.query_one(KeyFooter).offered
        }
