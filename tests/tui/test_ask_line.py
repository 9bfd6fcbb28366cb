from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.evals_port import EvalsWanted
from tcao_tui.tui.panes.evals.pane import EvalsPane
from tcao_tui.tui.screens.ask_line import AskLineScreen
from tests.fakes.console import FakeConsole
from tests.tui.checkpoint_screens import told
from tests.tui.conftest import Until


async def test_logs_to_open_are_named_on_one_line(console: FakeConsole, until: Until, tmp_path: Path) -> None:
    (tmp_path / "base.eval").touch()
    app = TcaoApp(console.ports(), evals=EvalsWanted("tickets"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: any(pane.matrix for pane in app.screen.query(EvalsPane)))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, AskLineScreen))
        field = app.screen.query_one(Input)
        for typed, said in (("'base", "quote is not closed"), ("/nowhere.eval", "no /nowhere.eval"), (" ", "")):
            field.value = typed
            await pilot.press("enter")
            assert isinstance(app.screen, AskLineScreen)
            await until(pilot, lambda said=said: said in told(app))
        field.value = str(tmp_path / "base.eval")
        await pilot.press("enter")
        await until(pilot, lambda: ("evaluations", "", str(tmp_path / "base.eval")) in console.asked)
