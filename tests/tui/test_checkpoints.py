from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from tcao_tui.errors import BackendError, Refused
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.checkpoints_feed import CheckpointsFeed
from tcao_tui.tui.messages import OpenChat
from tcao_tui.tui.panes.checkpoints.arrange import Arrangement
from tcao_tui.tui.panes.checkpoints.details import Details, details_lines
from tcao_tui.tui.panes.checkpoints.pane import CheckpointsPane
from tcao_tui.tui.panes.checkpoints.table import RowLines, header_line
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.panes.training.pane import TrainingPane
from tcao_tui.tui.screens.act_on_checkpoints import ActScreen
from tcao_tui.tui.screens.checkpoints import CheckpointsScreen
from tcao_tui.tui.screens.choose import ChooseScreen
from tcao_tui.tui.screens.confirm import ConfirmScreen
from tcao_tui.tui.screens.interview import InterviewScreen
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tcao_tui.tui.widgets.line_view import Line, LineView
from tests.fakes import listed_checkpoints as listed
from tests.fakes.console import FakeConsole, FakeRuns
from tests.fakes.listed_checkpoints import FakeCheckpoints
from tests.fakes.views import a_summary
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare


def text_of(line: Line) -> str:
    return "".join(text for text, _ink in line)


def seen(app: TcaoApp, place: str) -> list[str]:
    return [text_of(line) for line in app.screen.query_one(place, LineView).lines]


def told(app: TcaoApp) -> str:
    return "\n".join(toast.message for toast in app._notifications)


@pytest.fixture
def app(console: FakeConsole) -> TcaoApp:
    return TcaoApp(console.ports(), theme="dark")


async def opened(pilot: Pilot[object], until: Until) -> CheckpointsPane:
    await until(pilot, lambda: any(pane.is_filled for pane in pilot.app.screen.query(RunListPane)))
    await pilot.press("b")
    await until(pilot, lambda: any(pane.seen.listing for pane in pilot.app.screen.query(CheckpointsPane)))
    return pilot.app.screen.query_one(CheckpointsPane)


async def asked(pilot: Pilot[object], until: Until, key: str) -> ActScreen:
    """The dialog that a key opens."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ActScreen))
    screen = pilot.app.screen
    assert isinstance(screen, ActScreen)
    await until(pilot, lambda: bool(screen.query_one("#consequences", LineView).lines))
    return screen


async def agreed(pilot: Pilot[object], until: Until) -> None:
    """A plain yes to the question that is open."""
    screen = pilot.app.screen
    assert isinstance(screen, ConfirmScreen | ActScreen)
    await until(pilot, lambda: screen.takes_consent)
    await pilot.press("y")


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
        assert not app.screen.query_one("#filter", Input).has_focus
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


async def test_a_time_to_live_is_set_after_its_consequence_was_said(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("end", "up", "up", "up", "up")
        assert pane.seen.checkpoint is not None
        path = pane.seen.checkpoint.path
        await asked(pilot, until, "e")
        assert "Say how long" in "\n".join(seen(app, "#consequences"))
        await pilot.press("enter", *"12h")
        await until(pilot, lambda: "in 12h00m" in "\n".join(seen(app, "#consequences")))
        assert "leaves it no resume point" in "\n".join(seen(app, "#consequences")).replace("\n  ", " ")
        assert f"tcao ckpt ttl {path} 12h --yes --backend local" in " ".join(seen(app, "#command"))
        assert console.checkpoints.acted == []
        await pilot.press("enter")
        await until(pilot, lambda: console.checkpoints.acted == [("ttl", (path,), "12h", 43200)])
        await until(pilot, lambda: "1 checkpoint will expire" in told(app))
        await asked(pilot, until, "e")
        await pilot.press(*"never", "enter")
        await until(pilot, lambda: console.checkpoints.acted[1:] == [("keep", (path,), "never", None)])


async def test_a_deletion_wants_the_name_typed_and_the_row_goes(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "down", "down")
        await asked(pilot, until, "x")
        assert "Type 001-000060 to have it done" in "\n".join(seen(app, "#consequences"))
        await pilot.press(*"001", "enter")
        assert isinstance(app.screen, ActScreen)
        assert "Type 001-000060 to do it" in told(app)
        await pilot.press(*"-000060", "enter")
        await until(pilot, lambda: bool(console.checkpoints.acted))
        assert console.checkpoints.acted[0][2] == "001-000060"
        await until(pilot, lambda: "11 checkpoints on local" in seen(app, "#counts")[0])


async def test_what_is_pinned_is_not_deleted_and_says_so(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await asked(pilot, until, "x")
        assert "is pinned" in "".join(seen(app, "#consequences"))
        await pilot.press("enter", "escape")
        assert console.checkpoints.acted == []


async def test_a_plain_yes_does_the_rest_and_no_is_the_answer_of_enter(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("down", "down", "down", "space", "space")
        await asked(pilot, until, "p")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CheckpointsScreen))
        await asked(pilot, until, "p")
        await agreed(pilot, until)
        await until(pilot, lambda: bool(console.checkpoints.acted))
        assert console.checkpoints.acted[0][0] == "pin"
        await until(pilot, lambda: sum(c.note.pinned for c in pane.seen.in_sight) == 4)
        dialog = await asked(pilot, until, "p")
        assert "Unpin 2 checkpoints" in str(dialog.query_one("#title").render())


async def test_a_label_is_typed_and_shown_in_place_of_the_name(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "down", "down")
        await asked(pilot, until, "l")
        await pilot.press(*"before the drop", "enter")
        await until(pilot, lambda: any("before the drop" in row for row in seen(app, "#rows")))


async def test_what_fails_for_some_is_told_and_the_rest_is_done(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    paths = [c.path for c in console.checkpoints.found.checkpoints]
    console.checkpoints.failing = frozenset({paths[2]})
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "down", "down", "space", "space")
        await asked(pilot, until, "l")
        await pilot.press("z", "enter")
        await until(pilot, lambda: "1 checkpoint labelled" in told(app) and "it is gone" in told(app))


async def test_a_refusal_of_the_service_is_told_and_the_screen_stays(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.checkpoints.refusal = Refused("it became a resume point meanwhile", next_step="tcao ckpt ls")
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await asked(pilot, until, "l")
        await pilot.press("z", "enter")
        await until(pilot, lambda: "it became a resume point meanwhile" in told(app))
        assert isinstance(app.screen, CheckpointsScreen)
        assert "labelling" not in seen(app, "#counts")[0]


async def test_what_the_server_lacks_is_not_offered_and_says_why(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.checkpoints = FakeCheckpoints(listed.lacking())
    async with app.run_test(size=(160, 48)) as pilot:
        await opened(pilot, until)
        offered = app.screen.query_one(KeyFooter).offered
        assert "ckpt.delete" in offered
        assert not {"ckpt.ttl", "ckpt.publish"} & {*offered}
        assert "this server has no TTL" in seen(app, "#notes")[0]
        await pilot.press("e")
        await until(pilot, lambda: "This server has no TTL." in told(app))
        assert isinstance(app.screen, CheckpointsScreen)


async def test_n_plans_a_run_that_starts_from_the_training_state(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "down", "n")
        await agreed(pilot, until)
        await until(pilot, lambda: isinstance(app.screen, InterviewScreen))
        assert isinstance(app.screen, InterviewScreen)
        assert app.screen.wanted.values == {
            "start_from": "tinker://0f1e2d3c-aaaa/weights/001-000080",
            "training.base_model": "tcao/tiny-qwen3",
            "training.lora_rank": 16,
        }


async def test_c_talks_to_the_weights_to_sample_from_of_the_marked_ones(app: TcaoApp, until: Until) -> None:
    asked_for: list[Message] = []
    async with app.run_test(size=(120, 36), message_hook=asked_for.append) as pilot:
        await opened(pilot, until)
        await pilot.press("c")
        await until(pilot, lambda: any(isinstance(m, OpenChat) for m in asked_for))
        (chat,) = {m.wanted.contenders for m in asked_for if isinstance(m, OpenChat)}
        assert chat == tuple(f"tinker://0f1e2d3c-aaaa/sampler_weights/001-{step:06d}" for step in (80, 60, 40, 20))


async def test_more_than_four_do_not_answer_side_by_side(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("a", "c")
        await until(pilot, lambda: "At most 4 answer side by side" in told(app))


async def test_weights_without_training_state_cannot_be_trained_on(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("end", "up", "n")
        await until(pilot, lambda: "no training state" in told(app))
        await pilot.press("end", "r")
        await until(pilot, lambda: "No run here saved this checkpoint" in told(app))


async def test_a_run_is_resumed_from_the_checkpoint_that_it_goes_on_from(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("end", "up", "up", "up", "r")
        await until(pilot, lambda: "would go on from tinker://9b8c7d6e-bbbb/weights/002-000050, not" in told(app))
        await pilot.press("up", "r")
        await agreed(pilot, until)
        await until(pilot, lambda: ("resume", listed.GRADES) in console.asked)


@pytest.mark.parametrize(
    ("keys", "form"), [(("d",), "weights"), (("E", "enter"), "peft"), (("E", "down", "enter"), "merged")]
)
async def test_weights_come_to_this_machine_after_consent_with_progress(
    app: TcaoApp, console: FakeConsole, until: Until, keys: tuple[str, ...], form: str
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("down", "down", keys[0])
        if keys[1:]:
            await until(pilot, lambda: isinstance(app.screen, ChooseScreen))
            await pilot.press(*keys[1:])
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await agreed(pilot, until)
        await until(pilot, lambda: f"Ready to serve: exports/tickets-{form}" in told(app))
        assert console.checkpoints.acted == [("take away", ("tinker://0f1e2d3c-aaaa/weights/001-000080",), form, None)]


async def test_what_is_not_there_yet_or_wants_one_checkpoint_is_said(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("n")
        await until(pilot, lambda: "Choose one checkpoint to start from; 8 are chosen" in told(app))
        await pilot.press("down", "v")
        await until(pilot, lambda: "not there yet" in told(app))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("is_tree", [True, False])
def test_every_line_fits_and_carries_no_control_characters(width: int, is_tree: bool) -> None:
    arrangement = Arrangement(is_tree=is_tree)
    found = listed.listing().checkpoints
    rows = arrangement.rows(arrangement.in_sight(found, listed.NOW))
    lines: list[Line] = [header_line(width, arrangement)]
    lines += RowLines(rows, width, listed.NOW, frozenset({found[0].path}), is_tree=is_tree)
    for checkpoint in found:
        lines += details_lines(checkpoint, Details(checkpoint.path, problem="\x1b[31mgone " * 40), width, listed.NOW)
    assert [text_of(line) for line in lines if cell_len(text_of(line).rstrip()) > width] == []
    assert "\x1b" not in "".join(text_of(line) for line in lines)
    assert "\u202e" not in "".join(text_of(line) for line in lines)


def test_of_thousands_only_the_lines_in_sight_are_made() -> None:
    arrangement = Arrangement()
    rows = arrangement.rows(arrangement.in_sight(listed.many(2_000).checkpoints, listed.NOW))
    assert len(rows) == 2_100
    lines = RowLines(rows, 120, listed.NOW, frozenset(), is_tree=True)
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


@pytest.mark.parametrize("size", SIZES)
def test_deletion_dialog(snap_compare: SnapCompare, app: TcaoApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        pane = await opened(pilot, until)
        await pilot.press("end", "up", "up", "up", "up")
        await until(pilot, lambda: pane.details is not None and pane.details.path.endswith("002-000050"))
        await asked(pilot, until, "x")

    assert snap_compare(app, terminal_size=size, run_before=settled)
