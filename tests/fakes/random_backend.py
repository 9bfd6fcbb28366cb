"""A real session of an engine that serves the random model."""

from __future__ import annotations

from tcao_tui.clients.prices import price_quote
from tcao_tui.clients.tinker_sdk import SdkBackend, connect
from tests.fakes.engine_process import EngineProcess


async def open_backend(engine: EngineProcess, run_id: str = "run", model: str = "random") -> SdkBackend:
    return await connect(
        base_url=engine.url,
        api_key=engine.key,
        quote=price_quote("engine", engine.url, model),
        run_metadata={"tcao_run": run_id},
        on_waiting=lambda reason, over, detail: None,
    )
