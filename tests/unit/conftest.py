"""Places of one's own, below the directory of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.cli.context import CliContext
from tcao_tui.store.sqlite import SqliteStore, open_store
from tests.fakes.own_places import use_places


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliContext:
    """What commands run in; its runs are those of `root`."""
    use_places(monkeypatch, tmp_path)
    return CliContext(runs_root=tmp_path / "runs", environ={"HOME": str(tmp_path)})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The runs root of `store`."""
    return tmp_path / "runs"


@pytest.fixture
def store(root: Path) -> Iterator[SqliteStore]:
    """An empty store."""
    opened = open_store(root)
    yield opened
    opened.close()
