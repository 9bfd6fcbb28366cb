"""What the console watches: a run with its store, the run list, a directory of the cookbook, and the end of a log."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.errors import TcaoError
from tcao_tui.tui.ports import WatchedRun

if TYPE_CHECKING:
    from tcao_tui.domain.pipeline import StagePlan
    from tcao_tui.domain.run_view import RunSummary, RunView, ViewSource
    from tcao_tui.store.sqlite import SqliteStore

_LOG_BYTES = 64_000


class OwnedSource:
    """A source that closes its store with it."""

    def __init__(self, source: ViewSource, store: SqliteStore) -> None:
        self._source, self._store = source, store

    @property
    def caught_up(self) -> bool:
        """Whether the last poll reached the end of what is written."""
        return self._source.caught_up

    def poll(self) -> RunView:
        """Read what is new."""
        return self._source.poll()

    def close(self) -> None:
        """Release the source and its store."""
        self._source.close()
        self._store.close()


class StoreRuns:
    """The run list of a store."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def changes(self) -> Hashable:
        """A cheap value that differs when anything was committed since."""
        return self._store.changes()

    def rows(self) -> list[RunSummary]:
        """All runs, newest first, with liveness judged."""
        from tcao_tui.services.runs import list_runs

        return list_runs(self._store)

    def close(self) -> None:
        """Release the store."""
        self._store.close()


def open_cookbook(directory: Path, _ref: str = "") -> WatchedRun:
    """A run directory of the tinker-cookbook."""
    from tcao_tui.store.cookbook import CookbookSource

    return WatchedRun(CookbookSource(directory), lambda: tail(directory / "logs.log"))


def stages_of(run_dir: Path) -> Sequence[StagePlan]:
    """Trainings of a run's plan; empty when the plan cannot be read, since the run is watched without it."""
    from pydantic import ValidationError

    from tcao_tui.domain.pipeline import stage_plans
    from tcao_tui.store.plan_file import PLAN_NAME, read_plan

    try:
        return stage_plans(read_plan(run_dir / PLAN_NAME))
    except (TcaoError, OSError, ValidationError):
        return ()


def tail(path: Path) -> str:
    """The end of a text file; empty when there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _LOG_BYTES, 0))
            data = file.read(_LOG_BYTES)
    except OSError:
        return ""
    text = data.decode("utf-8", "replace")
    return text if size <= _LOG_BYTES else text.partition("\n")[2]
