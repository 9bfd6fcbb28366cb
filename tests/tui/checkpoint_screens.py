"""How tests of the checkpoint browser open it, agree and read it."""

from __future__ import annotations

from textual.pilot import Pilot

from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.panes.checkpoints.pane import CheckpointsPane
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.screens.act_on_checkpoints import ActScreen
from tcao_tui.tui.screens.confirm import ConfirmScreen
from tcao_tui.tui.widgets.line_view import Line, LineView
from tests.tui.conftest import Until


def text_of(line: Line) -> str:
    return "".join(text for text, _ink in line)


def seen(app: TcaoApp, place: str) -> list[str]:
    return [text_of(line) for line in app.screen.query_one(place, LineView).lines]


def told(app: TcaoApp) -> str:
    return "\n".join(toast.message for toast in app._notifications)


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
