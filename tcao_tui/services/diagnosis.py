"""Diagnosing a run of the store: read to its end, its plan beside it where that can be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tcao_tui.domain.diagnosis import Diagnosis, diagnose
from tcao_tui.services.follow import read_view
from tcao_tui.services.plans import plan_of_run
from tcao_tui.services.runs import find_run
from tcao_tui.store.port import RunStore


def diagnose_run(
    store: RunStore, runs_root: Path, reference: str, *, clock: Callable[[], float] = time.time
) -> Diagnosis:
    """Explain a run by id, name or `latest`; blocks on disk. Raises `UsageError` when there is none."""
    view = read_view(store, find_run(store, reference).run_id)
    return diagnose(view, now=clock(), plan=plan_of_run(runs_root, view.run_id))
