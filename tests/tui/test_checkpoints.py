from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tcao_tui.errors import BackendError
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.checkpoints_feed import CheckpointsFeed
from tcao_tui.tui.panes.checkpoints.arrange import Arrangement
from tcao_tui.tui.panes.checkpoints.details import Details, details_lines
from tcao_tui.tui.panes.checkpoints.pane import CheckpointsPane
from tcao_tui.tui.panes.checkpoints.table import header_line, row_lines
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.panes.training.pane import TrainingPane
from tcao_tui.tui.screens.checkpoints import CheckpointsScreen
from tcao_tui.tui.widgets.find_line import FindLine
from tcao_tui.tui.widgets.line_view import Line
from tests.fakes import listed_checkpoints as listed
from tests.fakes.console import FakeConsole, FakeRuns
from tests.fakes.listed_checkpoints import FakeCheckpoints
from tests.fakes.views import a_summary
from tests.tui.checkpoint_screens import opened, seen, text_of, told
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare


@pytest.fixture
def app(console: FakeConsole) -> TcaoApp:
    return TcaoApp(console.ports(), theme="dark")


async def test_b_shows_all_checkpoints_ours_and_foreign_by_run(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await opened(pilot, until)
        (counts,) = seen(app, "#counts")
        assert "12 checkpoints on local" in counts
        assert "▲ 1 expires soon, 1 needed by a run" in counts
        rows = seen(app, "#rows")
        assert rows[0].startswith("▾ tickets  ✓ completed  8 checkpoints")
        assert rows[1].startswith("  ◆ best so far")
        assert [word in rows[1] for word in ("training", "tiny-qwen3", "16", "809 kB", "kept", "0.4", "97.6%")] == [
            True
        ] * 7
        assert "▲ 002-000050" in "\n".join(rows)
        assert "↶ 001-000060" in "\n".join(rows)
        assert "▾ 77f0aa12-cccc  not of a run here" in "\n".join(rows)
        assert "public" in rows[-2]
        assert "evilname" in rows[-1]
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.screen.query(RunListPane)))


async def test_the_first_page_is_shown_before_the_rest_has_come(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.checkpoints = FakeCheckpoints(pages=[listed.listing(*listed.of_grades(), complete=False)])
    console.checkpoints.error = BackendError("the server went away", next_step="tcao engine start")
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        assert "2 of 2 checkpoints ... on local" in seen(app, "#counts")[0]
        assert len(seen(app, "#rows")) == 3


async def test_a_server_that_cannot_be_asked_says_what_helps_and_is_asked_again(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.checkpoints.error = BackendError("the local engine is not running", next_step="tcao engine start")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, CheckpointsScreen))
        await until(pilot, lambda: "Next: tcao engine start" in "\n".join(seen(app, "#rows")))
        console.checkpoints.error = None
        app.screen.query_one(CheckpointsFeed).ask()
        await until(pilot, lambda: "12 checkpoints" in seen(app, "#counts")[0])


async def test_a_server_without_checkpoints_says_where_they_come_from(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.checkpoints = FakeCheckpoints(replace(listed.listing(), checkpoints=(), total=0))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        assert "No checkpoints on this server" in "\n".join(seen(app, "#rows"))
        await pilot.press("x", "space", "a", "y", "tab", "enter", "down")
        assert "There is no checkpoint here" in told(app)


async def test_the_run_screen_shows_the_checkpoints_of_its_run(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.source.view = replace(console.source.view, run_id=listed.TICKETS)
    app = TcaoApp(console.ports(), run_ref="tickets", theme="dark")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.screen.query_one(TrainingPane).view is not None)
        await pilot.press("b")
        await until(pilot, lambda: bool(app.screen.query(CheckpointsPane)))
        await until(pilot, lambda: "8 match run tickets" in seen(app, "#counts")[0])
        await pilot.press("escape")
        await until(pilot, lambda: len(seen(app, "#rows")) == 15)
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.screen.query(TrainingPane)))
    assert console.checkpoints.closed


async def test_the_cursor_begins_at_the_run_of_the_run_list(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    console.runs = FakeRuns([a_summary(run_id=listed.GRADES, backend="lab")])
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        assert pane.seen.checkpoint is not None
        assert pane.seen.checkpoint.path.endswith("002-000050")
        assert ("checkpoints", "lab") in console.asked


async def test_words_find_checkpoints_and_escape_shows_all_again(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("slash", *"tickets sampler")
        await until(pilot, lambda: len(pane.seen.in_sight) == 4)
        assert "4 match “tickets sampler”" in seen(app, "#counts")[0]
        await pilot.press("enter", "down")
        assert not app.screen.query_one(FindLine).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: len(pane.seen.in_sight) == 12)
        await pilot.press("slash", *"nowhere")
        await until(pilot, lambda: "No checkpoint matches" in "\n".join(seen(app, "#rows")))
        await pilot.press("escape")
        await until(pilot, lambda: len(pane.seen.in_sight) == 12)


async def test_the_tree_folds_and_becomes_one_table_that_can_be_sorted(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: seen(app, "#rows")[0].startswith("▸ tickets"))
        assert len(pane.seen.rows) == 7
        await pilot.press("g")
        await until(pilot, lambda: len(pane.seen.rows) == 12)
        assert "run " in seen(app, "#titles")[0]
        while pane.seen.arrangement.sorted_by != "size":
            await pilot.press("o")
        await until(pilot, lambda: "size▼" in seen(app, "#titles")[0])
        assert "1.3 GB" in seen(app, "#rows")[0]
        await pilot.press("O")
        await until(pilot, lambda: "809 kB" in seen(app, "#rows")[0])
        assert "size▲" in seen(app, "#titles")[0]


async def test_the_one_under_the_cursor_is_told_in_full(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("down")
        await until(pilot, lambda: pane.details is not None and pane.details.found is not None)
        full = "\n".join(seen(app, "#details"))
        assert "tinker://0f1e2d3c-aaaa/weights/001-000080" in full
        assert "trains attention, MLP" in full
        assert "lineage   the run started from tcao/tiny-qwen3" in full
        await pilot.press("end")
        await until(pilot, lambda: "it is gone" in "\n".join(seen(app, "#details")))
        assert "\x1b" not in "".join(seen(app, "#details"))
        await pilot.press("enter")
        assert pane.has_class("-reading")
        await pilot.press("down", "escape")
        assert not pane.has_class("-reading")


async def test_another_marked_one_is_held_against_it(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("down", "space", "end", "up", "up", "up")
        await until(pilot, lambda: pane.details is not None and pane.details.path.endswith("001-000060"))
        full = "\n".join(seen(app, "#details"))
        assert "differs   from tickets best so far, as here → there:" in full
        assert "training.learning_rate 0.001 → 0.002" in full
        await pilot.press("a", "a", "escape")
        assert not pane.seen.marked


async def test_y_copies_the_path_and_of_several_marked_ones_each(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "y")
        assert app.clipboard == "tinker://0f1e2d3c-aaaa/weights/001-000080"
        await pilot.press("space", "space", "y")
        assert len(app.clipboard.split("\n")) == 2
        await until(pilot, lambda: "Copied 2 paths" in told(app))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("is_tree", [True, False])
def test_every_line_fits_and_carries_no_control_characters(width: int, is_tree: bool) -> None:
    arrangement = Arrangement(is_tree=is_tree)
    found = listed.listing().checkpoints
    rows = arrangement.rows(arrangement.in_sight(found, listed.NOW))
    lines: list[Line] = [header_line(width, arrangement)]
    lines += row_lines(rows, width, listed.NOW, frozenset({found[0].path}), is_tree=is_tree)
    for checkpoint in found:
        lines += details_lines(checkpoint, Details(checkpoint.path, problem="\x1b[31mgone " * 40), width, listed.NOW)
    assert [text_of(line) for line in lines if cell_len(text_of(line).rstrip()) > width] == []
    assert "\x1b" not in "".join(text_of(line) for line in lines)
    assert "\u202e" not in "".join(text_of(line) for line in lines)


def test_of_thousands_only_the_lines_in_sight_are_made() -> None:
    arrangement = Arrangement()
    rows = arrangement.rows(arrangement.in_sight(listed.many(2_000).checkpoints, listed.NOW))
    assert len(rows) == 2_100
    lines = row_lines(rows, 120, listed.NOW, frozenset(), is_tree=True)
    assert len(lines) == 2_100
    assert "run99" in text_of(lines[2_079])


@pytest.mark.parametrize("size", SIZES)
def test_browser(snap_compare: SnapCompare, app: TcaoApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        pane = await opened(pilot, until)
        await pilot.press("down", "down", "space")
        await until(pilot, lambda: pane.details is not None and pane.details.other is not None)

    assert snap_compare(app, terminal_size=size, run_before=settled)


def test_browser_flat_in_the_light_theme(snap_compare: SnapCompare, console: FakeConsole, until: Until) -> None:
    console.checkpoints = FakeCheckpoints(listed.lacking())

    async def settled(pilot: Pilot[object]) -> None:
        pane = await opened(pilot, until)
        await pilot.press("g", "slash", *"tickets", "enter")
        await until(pilot, lambda: pane.details is not None and pane.details.found is not None)

    app = TcaoApp(console.ports(), theme="light")
    assert snap_compare(app, terminal_size=(120, 36), run_before=settled)
