"""Places of one's own: where tcao keeps state, settings and caches, below one directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.engine_process import EngineProcess


def use_places(environment: pytest.MonkeyPatch, root: Path, engine: EngineProcess | None = None) -> None:
    """Point the environment below `root`; with an engine, the local profile is that one."""
    for name in ("STATE", "CONFIG", "CACHE", "RUNS"):
        environment.setenv(f"TCAO_{name}_DIR", str(root / name.lower()))
    (root / "state").mkdir(exist_ok=True)
    if engine is not None:
        (root / "state" / "engine").symlink_to(engine.state_dir)
