from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.panes.training.pane import TrainingPane
from tcao_tui.tui.screens.change import ChangeScreen
from tcao_tui.tui.screens.diagnosis import DiagnosisScreen, diagnosis_lines
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tests.fakes import method_views, views
from tests.fakes.console import FakeConsole, FakeSource
from tests.fakes.scripted_numbers import plan_of
from tests.tui.conftest import Until
from tests.tui.test_screens import SnapCompare


async def shown(pilot: Pilot[object], until: Until) -> None:
    await until(pilot, lambda: [p.view for p in pilot.app.screen.query(TrainingPane)] not in ([], [None]))


async def test_d_explains_the_run_in_words_without_control_characters(console: FakeConsole, until: Until) -> None:
    console.source = FakeSource(method_views.rl())
    app = TcaoApp(console.ports(), run_ref="rl")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, until)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, DiagnosisScreen))
        assert isinstance(app.screen, DiagnosisScreen)
        text = " ".join("".join(t for t, _ in line).strip() for line in app.screen.lines)
        assert "entropy collapse at step 37 (critical)" in text
        assert "→ rl.kl_penalty_coef: 0.05" in text
        assert "Next" in text
        assert "\x1b" not in text
        await pilot.press("d")
        await until(pilot, lambda: bool(app.screen.query(TrainingPane)))


def test_every_line_of_a_diagnosis_fits_its_width() -> None:
    found = FakeConsole().diagnose(views.failed())
    for width in (40, 76, 96):
        assert all(sum(len(text) for text, _ in line) <= width for line in diagnosis_lines(found, width))


async def test_x_asks_the_worker_for_another_learning_rate_with_the_reason(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, until)
        await pilot.press("x", *"3", "enter")
        problem = app.screen.query_one("#problem", Static)
        assert "above 0 and at most 1" in str(problem.content)
        await pilot.press("home", *"0.000", "enter", *"noisy", "enter")
        await until(pilot, lambda: ("change", views.RUN_ID, "learning_rate=0.0003", "noisy") in console.asked)


async def test_a_value_that_is_no_number_is_said_before_the_reason_is_asked(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, until)
        await pilot.press("x", *"fast", "enter")
        assert str(app.screen.query_one("#problem", Static).content) == "the value is not a number"
        assert app.screen.query_one("#value").has_focus
        await pilot.press("down")
        assert not app.screen.query_one("#problem", Static).display


async def test_the_arrows_go_to_the_eval_cadence_and_escape_changes_nothing(console: FakeConsole, until: Until) -> None:
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, until)
        await pilot.press("x", "down", *"50", "enter", "enter")
        await until(pilot, lambda: ("change", views.RUN_ID, "eval_every=50", "") in console.asked)
        before = len(console.asked)
        await pilot.press("x", *"7", "escape")
        await shown(pilot, until)
        assert len(console.asked) == before


async def test_each_setting_is_shown_as_it_is_for_the_next_update(console: FakeConsole, until: Until) -> None:
    console.plan = plan_of("dpo", training={"num_steps": 60, "eval_every": 15, "lr_schedule": "linear"})
    console.source = FakeSource(method_views.dpo())
    app = TcaoApp(console.ports(), run_ref="tickets")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, until)
        await pilot.press("x")
        heading = app.screen.query_one("#setting", Static)
        assert str(heading.content) == "Change learning_rate, now 5.00e-05, from the next update on"
        await pilot.press("down")
        assert str(heading.content) == "Change eval_every, now 15, from the next update on"


@pytest.mark.parametrize("state", ["completed", "watched"])
async def test_what_would_be_refused_is_not_offered_and_says_why(
    console: FakeConsole, until: Until, state: str
) -> None:
    console.source.view = {
        "completed": views.completed(),
        "watched": views.running(),
    }[state]
    app = TcaoApp(replace(console.ports(), is_read_only=state == "watched"), run_ref="tickets")
    async with app.run_test(size=(160, 48)) as pilot:
        await shown(pilot, until)
        assert "inside.change" not in app.screen.query_one(KeyFooter).offered
        await pilot.press("x")
        assert not isinstance(app.screen, ChangeScreen)
        assert any("can be changed" in note.message for note in app._notifications)


@pytest.mark.parametrize("key", ["d", "x"])
def test_run_advice(snap_compare: SnapCompare, console: FakeConsole, until: Until, key: str) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await shown(pilot, until)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, DiagnosisScreen | ChangeScreen))

    view = method_views.rl() if key == "d" else method_views.dpo()
    console.source, console.plan = FakeSource(view), plan_of("dpo", training={"num_steps": 60})
    assert snap_compare(TcaoApp(console.ports(), run_ref="r", theme="dark"), terminal_size=(80, 24), run_before=settled)
