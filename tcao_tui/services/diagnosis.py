"""Diagnosing a run of the store: read to its end, its plan beside it where that can be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tcao_tui.domain.diagnosis import Diagnosis, diagnose
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunView
from tcao_tui.errors import TcaoError
from tcao_tui.services.follow import Follower
from tcao_tui.services.runs import find_run
from tcao_tui.store.plan_file import PLAN_NAME, read_plan
from tcao_tui.store.port import RunStore


def diagnose_run(
    store: RunStore, runs_root: Path, reference: str, *, clock: Callable[[], float] = time.time
) -> Diagnosis:
    """Explain a run by id, name or `latest`; blocks on disk. Raises `UsageError` when there is none."""
    view = read_view(store, find_run(store, reference).run_id)
    return diagnose(view, now=clock(), plan=_plan(runs_root / view.run_id / PLAN_NAME))


def read_view(store: RunStore, run_id: str) -> RunView:
    """A run as it is now, read to the end."""
    with closing(Follower(store, run_id)) as source:
        view = source.poll()
        while not source.caught_up:
            view = source.poll()
        return view


def _plan(path: Path) -> Plan | None:
    try:
        return read_plan(path)
    except (TcaoError, OSError):
        return None
