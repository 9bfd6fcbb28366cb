"""The checkpoint browser of the console against a real engine that lacks TTLs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import tinker
from textual.pilot import Pilot

from tcao_tui.settings import Settings
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.panes.checkpoints.pane import CheckpointsPane
from tcao_tui.tui.panes.run_list.pane import RunListPane
from tcao_tui.tui.screens.act_on_checkpoints import ActScreen
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tcao_tui.tui.wiring import wire
from tests.fakes.engine_process import EngineProcess
from tests.fakes.own_places import use_places

DEADLINE_SECONDS = 60.0


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        await pilot.pause(0.05)


def save_two(engine: EngineProcess) -> None:
    service = tinker.ServiceClient(base_url=engine.url, api_key=engine.key)
    client = service.create_lora_training_client("random", rank=4).result()
    for name in ("first", "second"):
        client.save_state(name).result()
    service.close("success").result()


@pytest.mark.slow
async def test_what_a_server_has_is_listed_labelled_and_deleted_and_what_it_lacks_is_said(
    tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_places(monkeypatch, tmp_path)
    monkeypatch.setenv("TCAO_BACKEND", "local")
    engine = EngineProcess(
        tmp_path / "state" / "engine", model_dirs=[f"random={model_dir}"], options=["--without", "ttl"]
    )
    try:
        save_two(engine)
        app = TcaoApp(wire(tmp_path / "runs", Settings))
        async with app.run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: any(pane.is_filled for pane in app.screen.query(RunListPane)))
            await pilot.press("b")
            await until(pilot, lambda: any(pane.seen.listing for pane in app.screen.query(CheckpointsPane)))
            seen = app.screen.query_one(CheckpointsPane).seen
            await until(pilot, lambda: seen.listing is not None and seen.listing.complete)
            assert sorted(c.server.name for c in seen.in_sight) == ["first", "second"]
            assert {(c.base_model, c.lora_rank) for c in seen.in_sight} == {("random", 4)}
            assert "ckpt.ttl" not in app.screen.query_one(KeyFooter).offered
            assert "ckpt.delete" in app.screen.query_one(KeyFooter).offered
            await pilot.press("slash", *"first", "enter", "down", "l")
            await until(pilot, lambda: isinstance(app.screen, ActScreen))
            await pilot.press(*"mine", "enter")
            await until(pilot, lambda: [c.note.label for c in seen.in_sight] == ["mine"])
            await pilot.press("x")
            await until(pilot, lambda: isinstance(app.screen, ActScreen))
            await pilot.press(*"first", "enter")
            await until(pilot, lambda: seen.listing is not None and len(seen.listing.checkpoints) == 1)
    finally:
        engine.stop()
