"""Weights that leave the server: download, export and push from the browser."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tcao_tui.errors import CredentialsError
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.screens.choose import ChooseScreen
from tcao_tui.tui.screens.confirm import ConfirmScreen
from tcao_tui.tui.screens.push import PushScreen
from tests.fakes.console import FakeConsole
from tests.tui.checkpoint_screens import agreed, opened, seen, told
from tests.tui.conftest import Until
from tests.tui.test_screens import SIZES, SnapCompare

STATE = "tinker://0f1e2d3c-aaaa/weights/001-000080"


@pytest.fixture
def app(console: FakeConsole) -> TcaoApp:
    return TcaoApp(console.ports(), theme="dark")


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
        assert console.checkpoints.acted == [("take away", (STATE,), form, None)]


async def pushing(pilot: Pilot[object], until: Until, *choice: str) -> None:
    """The dialog of a push of the first checkpoint."""
    await opened(pilot, until)
    await pilot.press("down", "down", "H")
    await until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
    await pilot.press(*choice, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, PushScreen))
    await until(pilot, lambda: bool(pilot.app.screen.query_one("#consequences").lines))


async def test_a_push_says_who_will_read_it_how_large_it_is_and_under_which_licence_before_it_is_done(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pushing(pilot, until)
        said = " ".join(seen(app, "#consequences"))
        for part in ("about 809 kB", "you and those you let in", "no licence yet", "exports the weights"):
            assert part in said
        await pilot.press("enter")
        await until(pilot, lambda: "Name a repository" in told(app))
        await pilot.press(*"me/tickets")
        await until(pilot, lambda: "go to me/tickets on" in " ".join(seen(app, "#consequences")))
        assert f"tcao push {STATE} --repo me/tickets --backend local" in " ".join(seen(app, "#command"))
        assert console.checkpoints.acted == []
        await pilot.press("enter")
        await until(pilot, lambda: "On the Hub: https://hub/me/tickets" in told(app))
        assert console.checkpoints.acted == [("push", (STATE, "me/tickets"), "peft private ", None)]


async def test_publishing_for_everybody_wants_the_repository_typed_once_more(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pushing(pilot, until, "down")
        await pilot.press(*"me/x", "down")
        await until(pilot, lambda: "everybody in the world" in " ".join(seen(app, "#consequences")))
        assert "--public --confirm me/x --backend local" in " ".join(seen(app, "#command"))
        await pilot.press("enter")
        await until(pilot, lambda: "Type me/x once more" in told(app))
        assert app.screen.query_one("#confirm", Input).has_focus
        assert console.checkpoints.acted == []
        await pilot.press(*"me/x", "enter")
        await until(pilot, lambda: bool(console.checkpoints.acted))
        assert console.checkpoints.acted == [("push", (STATE, "me/x"), "merged public me/x", None)]


async def test_a_push_that_fails_says_why_and_what_helps_and_esc_pushes_nothing(
    app: TcaoApp, console: FakeConsole, until: Until
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pushing(pilot, until)
        await pilot.press("escape", "H")
        await until(pilot, lambda: isinstance(app.screen, ChooseScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PushScreen))
        console.checkpoints.refusal = CredentialsError("there is no Hugging Face token", next_step="hf auth login")
        await pilot.press(*"me/x", "enter")
        await until(pilot, lambda: "no Hugging Face token" in told(app) and "hf auth login" in told(app))
        assert len(console.checkpoints.acted) == 1
        assert "uploading" not in seen(app, "#counts")[0]


@pytest.mark.parametrize("size", SIZES[:2])
def test_push_dialog(snap_compare: SnapCompare, app: TcaoApp, until: Until, size: tuple[int, int]) -> None:
    async def settled(pilot: Pilot[object]) -> None:
        await pushing(pilot, until)
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        await pilot.press(*"me/tickets", "down")
        await until(pilot, lambda: "everybody" in " ".join(seen(app, "#consequences")))

    assert snap_compare(app, terminal_size=size, run_before=settled)
