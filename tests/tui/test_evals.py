from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Input

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.evaluation import CellKey, Choice
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.evals_port import EvalsWanted
from tcao_tui.tui.panes.evals.details import cell_lines
from tcao_tui.tui.panes.evals.grid import Grid
from tcao_tui.tui.panes.evals.heading import selection_lines, title_line
from tcao_tui.tui.panes.evals.pane import EvalsPane
from tcao_tui.tui.panes.evals.samples_pane import SamplesPane
from tcao_tui.tui.panes.evals.transcript_pane import TranscriptPane
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.screens.ask_line import AskLineScreen
from tcao_tui.tui.screens.confirm import ConfirmScreen
from tcao_tui.tui.screens.evals_start import StartEvalScreen
from tcao_tui.tui.widgets.flow_view import FlowView
from tests.fakes import eval_matrices as built
from tests.fakes import views
from tests.fakes.console import FakeConsole, FakeRuns
from tests.tui.checkpoint_screens import seen, text_of, told
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare


@pytest.fixture
def app(console: FakeConsole) -> TcaoApp:
    return TcaoApp(console.ports(), evals=EvalsWanted("tickets"), theme="dark")


async def opened(pilot: Pilot[object], until: Until) -> EvalsPane:
    await until(pilot, lambda: any(pane.matrix for pane in pilot.app.screen.query(EvalsPane)))
    return pilot.app.screen.query_one(EvalsPane)


async def samples(pilot: Pilot[object], until: Until) -> SamplesPane:
    await pilot.press("enter")
    await until(pilot, lambda: any(pane.is_filled for pane in pilot.app.screen.query(SamplesPane)))
    pane = pilot.app.screen.query_one(SamplesPane)
    await until(pilot, lambda: pane.sample is not None and pane.sample.preview is not None)
    return pane


async def transcripts(pilot: Pilot[object], until: Until, key: str) -> TranscriptPane:
    await pilot.press(key)
    await until(pilot, lambda: any(pane.is_filled for pane in pilot.app.screen.query(TranscriptPane)))
    return pilot.app.screen.query_one(TranscriptPane)


def columns(app: TcaoApp) -> str:
    return "\n".join(text_of(line) for view in app.screen.query(FlowView) for line in view.lines)


async def test_the_matrix_tells_scores_gains_and_which_weights_to_use(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        assert "Use step 40: better than the base on tickets" in "".join(seen(app, "#selection"))
        assert "step 60: strong_reject is clearly worse" in " ".join(seen(app, "#selection"))
        rows = seen(app, "#rows")
        assert rows[2].startswith("★ step 40")
        assert [row.rstrip()[-1] for row in rows[1:]] == ["+", "+", "+"]
        assert "strong_reject ↓" in seen(app, "#titles")[1]
        assert "◎ tickets" in seen(app, "#titles")[1]
        assert " -" in rows[3]


async def test_the_cursor_goes_over_cells_and_the_matrix_can_be_turned(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("down", "right", "right", "right", "right")
        assert pane.key == CellKey("tickets", "tickets@20")
        assert "‹" in seen(app, "#titles")[1]
        assert "better: +" in " ".join(seen(app, "#cell"))
        await pilot.press("g")
        assert "layer 3 · product" in "".join(seen(app, "#rows"))
        await pilot.press("up")
        assert pane.key == CellKey("inspect_evals/strong_reject", "tickets@20")
        await pilot.press("tab", "down", "escape")
        assert not pane.has_class("-reading")
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.screen.query(RunListPane)))


async def test_cells_amid_the_work_say_how_far_they_are(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    console.evaluations.found = built.working()
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        rows = seen(app, "#rows")
        assert "68/200" in rows[0]
        assert "~" in rows[0]
        assert "starting" in rows[1]
        assert "of 82/200" in rows[2]
        assert "✗ failed" in rows[3]
        assert "1 failed" in seen(app, "#title")[0]
        await pilot.press("down", "down", "down", "right", "right")
        assert "tcao doctor, then press r" in " ".join(seen(app, "#cell"))
        console.evaluations.show(built.finished())
        await until(pilot, lambda: "16 of 16 cells done" in seen(app, "#title")[0])


async def test_samples_are_filtered_searched_and_sorted(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "down", "right", "right", "right")
        pane = await samples(pilot, until)
        assert "tickets over step 40" in seen(app, "#title")[0]
        everything = len(pane.shown)
        await pilot.press("f")
        assert 0 < len(pane.shown) < everything
        assert all("wrong" in sample.flags for sample in pane.shown)
        await pilot.press("f")
        assert {sample.against for sample in pane.shown} <= {"won", "lost"}
        await pilot.press("f", "f")
        assert [sample.item.item for sample in pane.shown] == ["tickets-0007"]
        assert "\x1b" not in "".join(seen(app, "#rows"))
        await pilot.press("f", "f", "slash", *"0042", "enter")
        assert [sample.item.item for sample in pane.shown] == ["tickets-0042"]
        await pilot.press("escape", "o", "o", "O")
        assert len(pane.shown) == everything
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.screen.query(EvalsPane)))


async def test_a_transcript_is_read_and_held_against_the_base(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "down", "right", "right", "right")
        await samples(pilot, until)
        pane = await transcripts(pilot, until, "enter")
        assert "Your parcel is in Ghent." in columns(app)
        assert "reasoning, 180 words" in columns(app)
        assert "\x1b" not in columns(app)
        assert "[bold]not bold[/bold]" in columns(app)
        await pilot.press("z")
        assert "The customer asks" in columns(app)
        await pilot.press("z", "v")
        await until(pilot, lambda: "The parcel is lost." in columns(app))
        assert "4 messages that both begin with" in columns(app)
        assert " ▌ Your parcel is in Ghent." in columns(app)
        await pilot.press("right")
        await until(pilot, lambda: pane.reader.index == 1 and pane.is_filled)
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.screen.query(SamplesPane)))


async def test_what_has_no_transcript_says_so(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: any(pane.is_filled for pane in app.screen.query(SamplesPane)))
        await transcripts(pilot, until, "enter")
        assert "the loss on rows has no transcript" in columns(app)


async def test_an_evaluation_starts_after_its_cost_was_seen_and_the_word_typed(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.evaluations.is_free = False
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, StartEvalScreen))
        dialog = app.screen
        assert isinstance(dialog, StartEvalScreen)
        dialog._clock = lambda: 1e9
        await pilot.press("space", "enter")
        await until(pilot, lambda: dialog.query_one(Input).has_focus)
        assert "$1.20 expected" in " ".join(seen(app, "#facts"))
        dialog._clock = lambda: 2e9
        await pilot.press(*"yes", "enter")
        assert dialog.query_one(Input).value == ""
        await pilot.press(*"approve", "enter")
        await until(pilot, lambda: any(asked[0] == "start" for asked in console.evaluations.asked))
        assert console.evaluations.asked[0][1] == ("gsm8k", "tickets")


async def test_checkpoints_that_were_chosen_elsewhere_are_offered_at_once(console: FakeConsole, until: Until) -> None:
    wanted = EvalsWanted("tickets", checkpoints=(built.SUBJECTS[2].checkpoint,))
    app = TcaoApp(console.ports(), evals=wanted, theme="dark")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, StartEvalScreen))
        dialog = app.screen
        assert isinstance(dialog, StartEvalScreen)
        assert dialog.choice.subjects == (built.BASE.name, "tickets@40")


async def test_choosing_against_the_rule_needs_a_reason(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "c")
        await until(pilot, lambda: isinstance(app.screen, AskLineScreen))
        await pilot.press("enter", *"cheaper", "enter")
        await until(pilot, lambda: ("choose", "tickets@20", "cheaper") in console.evaluations.asked)
        assert "Say why" in told(app)


@pytest.mark.parametrize(("key", "verb"), [("d", "drain"), ("x", "cancel"), ("r", "resume")])
async def test_a_control_asks_first_and_names_its_twin(
    app: TcaoApp, console: FakeConsole, until: Until, key: str, verb: str
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        screen = app.screen
        assert isinstance(screen, ConfirmScreen)
        assert f"tcao eval {verb} e-1" in screen._question
        await until(pilot, lambda: screen.takes_consent)
        await pilot.press("y")
        await until(pilot, lambda: (verb,) in console.evaluations.asked)


async def test_a_report_is_written_and_what_cannot_be_is_told(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    console.evaluations.refusals = {"drain": "Nothing is under way."}
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press("d", "w", "y")
        await until(pilot, lambda: "Written to eval-report.md" in told(app))
        assert "Nothing is under way." in told(app)
        assert "inspect view --log-dir" in told(app)


async def test_the_run_list_opens_the_evaluations_of_the_chosen_run(console: FakeConsole, until: Until) -> None:
    console.runs = FakeRuns(views.a_list_of_runs())
    app = TcaoApp(console.ports(), theme="dark")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.screen.query_one(RunListPane).row is not None)
        await pilot.press("E")
        await opened(pilot, until)
        assert console.asked[-1][0] == "evaluations"
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.screen.query(RunListPane)))
    assert console.evaluations.closed


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("make", [built.finished, built.working, built.many])
def test_every_line_fits_and_carries_no_control_characters(
    width: int, make: Callable[[], tuple[EvalMatrix, built.Cells]]
) -> None:
    matrix, _cells = make()
    choice = Choice(run_id="r", subject="tickets@60", checkpoint="", reason=built.HOSTILE, by="ann", at=built.NOW)
    for turned in (None, True, False):
        grid = Grid(matrix, width, turned)
        first = grid.first_for(len(grid.columns) - 1, 0)
        key = grid.at(grid.row_by(grid.place(CellKey(matrix.tasks[0].name, matrix.base))[0], 1), len(grid.columns) - 1)
        lines = [*grid.title_lines(0, 0), *grid.lines(key, first), title_line(matrix, "", width, built.NOW)]
        if matrix.selection is not None:
            lines += selection_lines(built.selected(matrix, choice), width)
        assert key is not None
        lines += cell_lines(matrix, key, width, built.NOW)
        assert [text_of(line) for line in lines if cell_len(text_of(line).rstrip()) > width] == []
        assert "\x1b" not in "".join(text_of(line) for line in lines)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", ["finished", "working", "many"])
def test_matrix(
    snap_compare: SnapCompare, console: FakeConsole, until: Until, state: str, size: tuple[int, int]
) -> None:
    console.evaluations.found = getattr(built, state)()
    app = TcaoApp(console.ports(), evals=EvalsWanted("tickets"), theme="dark")

    async def settled(pilot: Pilot[object]) -> None:
        await opened(pilot, until)
        await pilot.press("down", "right")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settled)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", ["samples", "transcript", "diff"])
def test_inside_a_cell(snap_compare: SnapCompare, app: TcaoApp, until: Until, what: str, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await opened(pilot, until)
        await pilot.press("down", "down", "right", "right", "right")
        await samples(pilot, until)
        if what != "samples":
            await transcripts(pilot, until, "enter" if what == "transcript" else "v")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settled)
