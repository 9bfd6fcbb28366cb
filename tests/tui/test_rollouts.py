from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tcao_tui.errors import UsageError
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.panes.rollouts.pane import RolloutsPane
from tcao_tui.tui.panes.training.pane import TrainingPane
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes import method_views, views
from tests.fakes.console import FakeConsole, FakeSource
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare


def text_of(app: TcaoApp, place: str) -> str:
    return "\n".join("".join(text for text, _ink in line) for line in app.screen.query_one(place, LineView).lines)


@pytest.fixture
def app(console: FakeConsole) -> TcaoApp:
    console.source = FakeSource(method_views.rl())
    return TcaoApp(console.ports(), run_ref="rl", theme="dark")


async def opened(pilot: Pilot[object], until: Until) -> RolloutsPane:
    await until(pilot, lambda: [p.view for p in pilot.app.screen.query(TrainingPane)] not in ([], [None]))
    await pilot.press("a")
    await until(pilot, lambda: any(pane.is_filled for pane in pilot.app.screen.query(RolloutsPane)))
    return pilot.app.screen.query_one(RolloutsPane)


async def test_the_newest_step_is_shown_with_groups_answers_and_the_whole_text_of_one(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        assert ("rollouts", views.RUN_ID, "40") in console.asked
        assert "step 40 (1 of 4 with answers kept)" in text_of(app, "#titles")
        rows = text_of(app, "#rows").split("\n")
        assert len(rows) == 10
        assert "no signal" in rows[4]
        whole = text_of(app, "#whole")
        assert "How many apples" in whole
        assert "#### 7" in whole
        assert "reward 1 · 42 tokens · stop" in whole
        assert "format 1" in whole


async def test_foreign_text_reaches_no_line_with_control_characters(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press(*["down"] * 7)
        assert "[bold]9[/bold]" in text_of(app, "#whole")
        assert "\x1b" not in text_of(app, "#whole") + text_of(app, "#rows")


async def test_arrows_go_through_the_steps_and_stop_at_the_ends(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("left", "left", "left", "left", "left")
        await until(pilot, lambda: pane.is_filled)
        assert pane.step == 10
        assert "step 10 (4 of 4" in text_of(app, "#titles")
        await pilot.press("right")
        await until(pilot, lambda: ("rollouts", views.RUN_ID, "20") in console.asked)


async def test_worst_first_no_signal_and_a_search_change_what_is_listed(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("o", "o")
        assert pane.row is not None
        assert pane.row.answer is not None
        assert pane.row.answer.text == "#### 12"
        await pilot.press("f")
        assert "4 shown · worst first · only no signal" in text_of(app, "#choice")
        await pilot.press("f", "f", "slash", *"step by", "enter")
        assert "1 shown" in text_of(app, "#choice")
        await pilot.press("escape")
        assert "7 shown" in text_of(app, "#choice")
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.screen.query(TrainingPane)))


async def test_when_no_answer_is_like_that_it_is_said(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press("slash", *"nowhere", "enter")
        assert "No answer is like that" in text_of(app, "#whole")


async def test_a_file_that_cannot_be_read_is_told_and_the_browser_stays(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        console.refusal = UsageError("cannot read the rollouts of step 30")
        await pilot.press("left")
        await until(pilot, lambda: any("step 30" in note.message for note in app._notifications))
        assert app.screen.query(RolloutsPane)


async def test_a_run_without_answers_does_not_offer_them(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: [p.view for p in app.screen.query(TrainingPane)] not in ([], [None]))
        assert "inside.rollouts" not in app.screen.query_one(KeyFooter).offered
        await pilot.press("a")
        assert any("keeps no answers" in note.message for note in app._notifications)


@pytest.mark.parametrize("size", SIZES)
def test_rollout_browser(snap_compare: SnapCompare, app: TcaoApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await opened(pilot, until)

    assert snap_compare(app, terminal_size=size, run_before=settled)
