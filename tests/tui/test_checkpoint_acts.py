from __future__ import annotations

import pytest
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tcao_tui.domain.run_view import RunStatus
from tcao_tui.errors import Refused
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.messages import OpenChat
from tcao_tui.tui.screens.act_on_checkpoints import ActScreen
from tcao_tui.tui.screens.checkpoints import CheckpointsScreen
from tcao_tui.tui.screens.confirm import ConfirmScreen
from tcao_tui.tui.screens.evals_start import StartEvalScreen
from tcao_tui.tui.screens.interview import InterviewScreen
from tcao_tui.tui.screens.prune import PruneScreen
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes import listed_checkpoints as listed
from tests.fakes.console import FakeConsole
from tests.fakes.listed_checkpoints import FakeCheckpoints
from tests.tui.checkpoint_screens import agreed, asked, opened, seen, told
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare


@pytest.fixture
def app(console: FakeConsole) -> TcaoApp:
    return TcaoApp(console.ports(), theme="dark")


async def test_a_time_to_live_is_set_after_its_consequence_was_said(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot, until)
        await pilot.press("end", "up", "up", "up", "up")
        assert pane.seen.checkpoint is not None
        path = pane.seen.checkpoint.path
        await asked(pilot, until, "e")
        assert "say how long" in "\n".join(seen(app, "#consequences"))
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


async def test_a_prune_shows_what_goes_and_deletes_exactly_that(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, PruneScreen))
        title = app.screen.query_one("#title", Static)
        await until(pilot, lambda: "Delete 4 of 12 checkpoints" in str(title.render()))
        await pilot.press("up")
        await until(pilot, lambda: "Delete 2 of 12 checkpoints" in str(title.render()))
        gone = seen(app, "#list")[:2]
        assert all("✗ tickets 001-000020" in line for line in gone)
        await pilot.press("x", "enter")
        await until(pilot, lambda: "to do it, or press Esc" in told(app))
        digest = app.screen.query_one(Input).placeholder.split()[1]
        await pilot.press("backspace", *digest, "enter")
        await until(pilot, lambda: bool(console.checkpoints.acted))
        assert {path.rpartition("/")[2] for path in console.checkpoints.acted[0][1]} == {"001-000020"}
        await until(pilot, lambda: "10 checkpoints on local" in seen(app, "#counts")[0])


async def test_what_is_pinned_is_not_deleted_and_says_so(app: TcaoApp, console: FakeConsole, until: Until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await asked(pilot, until, "x")
        assert "pinned" in "".join(seen(app, "#consequences"))
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
        await pilot.press("down", "down", "down", "down", "n")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        said = " ".join(str(static.render()) for static in app.screen.query(Static))
        assert "tcao plan --from tinker://0f1e2d3c-aaaa/weights/001-000060 --backend local" in said
        await agreed(pilot, until)
        await until(pilot, lambda: isinstance(app.screen, InterviewScreen))
        assert isinstance(app.screen, InterviewScreen)
        assert app.screen.wanted.start_from is not None
        assert app.screen.wanted.start_from.path == "tinker://0f1e2d3c-aaaa/weights/001-000060"
        assert app.screen.wanted.backend == "local"


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
        await until(pilot, lambda: "would go on from tinker://9b8c7d6e-bbbb/weights/002-000050: stop" in told(app))
        await pilot.press("up", "r")
        await agreed(pilot, until)
        await until(pilot, lambda: ("resume", listed.GRADES) in console.asked)


async def test_a_run_that_is_down_goes_back_to_an_earlier_checkpoint_once_that_was_said(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.checkpoints = FakeCheckpoints(listed.listing(*listed.of_grades(RunStatus.INTERRUPTED)))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until)
        await pilot.press("end", "r")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        said = " ".join(str(static.render()) for static in app.screen.query(Static))
        assert "grades goes back to step 60 of 80 and trains from there anew" in said
        path = "tinker://9b8c7d6e-bbbb/weights/001-000060"
        assert f"tcao resume {listed.GRADES} --from {path}" in said
        await agreed(pilot, until)
        await until(pilot, lambda: ("go back", listed.GRADES, path) in console.asked)
        await until(pilot, lambda: "Attempt 2 goes on from step 40" in told(app))


async def test_what_a_run_cannot_go_back_to_is_said_and_a_completed_one_does_not_go_on(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    console.checkpoints = FakeCheckpoints(
        listed.listing(*listed.of_tickets(), *listed.of_grades(RunStatus.INTERRUPTED))
    )
    console.checkpoints.refusal = Refused("it was gone back behind already", next_step="tcao plan --from PATH")
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("end", "r")
        await until(pilot, lambda: "gone back behind already" in told(app) and "tcao plan --from PATH" in told(app))
        await pilot.press("home", "down", "r")
        await until(pilot, lambda: "tickets is completed; press n" in told(app))
        assert isinstance(app.screen, CheckpointsScreen)


async def test_one_checkpoint_is_forked_and_evaluated_beside_its_base(app: TcaoApp, until: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, until)
        await pilot.press("n")
        await until(pilot, lambda: "Choose one checkpoint to start from; 8 are chosen" in told(app))
        await pilot.press("down", "v")
        await until(pilot, lambda: isinstance(app.screen, StartEvalScreen))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, CheckpointsScreen))


@pytest.mark.parametrize("size", SIZES)
def test_deletion_dialog(snap_compare: SnapCompare, app: TcaoApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        pane = await opened(pilot, until)
        await pilot.press("end", "up", "up", "up", "up")
        await until(pilot, lambda: pane.details is not None and pane.details.path.endswith("002-000050"))
        await asked(pilot, until, "x")

    assert snap_compare(app, terminal_size=size, run_before=settled)


@pytest.mark.parametrize("size", SIZES[:2])
def test_prune_dialog(snap_compare: SnapCompare, app: TcaoApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await opened(pilot, until)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, PruneScreen))
        await until(pilot, lambda: bool(app.screen.query_one("#list", LineView).lines))

    assert snap_compare(app, terminal_size=size, run_before=settled)
