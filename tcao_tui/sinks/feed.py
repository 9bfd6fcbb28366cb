"""Feeds a sink from the store by polling; the place is saved after each batch, so that a killed feed goes on there.

A kill between the last write of a batch and the saved place tells at most that batch again, with equal numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tcao_tui.domain.events import Launched, StoredEvent
from tcao_tui.domain.liveness import with_status
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.errors import TcaoError
from tcao_tui.sinks.kept import Place, load_place, only_one, save_place
from tcao_tui.sinks.port import MetricSink
from tcao_tui.store.plan_file import PLAN_NAME, read_plan
from tcao_tui.store.port import ReadBatch, RunStore

BATCH_ROWS = 200
POLL_SECONDS = 1.0


def feed(
    store: RunStore,
    run_dir: Path,
    run_id: str,
    name: str,
    sink: MetricSink,
    *,
    follow: bool = False,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Tell `sink` what it was not told yet, and with `follow` what comes, until the run ends.

    Args:
        store: The run store.
        run_dir: Directory of the run.
        run_id: Full id of the run.
        name: Name of the sink; its place and lock are `sink-NAME.json` and `sink-NAME.lock`.
        sink: Opened and closed here.
        follow: Go on until the run is no longer live.
        wait: Waits for some seconds.

    Returns:
        Number of metric rows that were told.

    Raises:
        Refused: Another process feeds the same sink from the same run.
        TcaoError: The SDK is not installed, or the saved place cannot be read.
    """
    place_file = run_dir / f"sink-{name}.json"
    with only_one(run_dir / f"sink-{name}.lock", f"a sink of {run_id} to {name}"):
        try:
            place = load_place(place_file)
        except (OSError, ValueError) as error:
            raise TcaoError(
                "how far the sink was told cannot be read", where=str(place_file), next_step=f"rm {place_file.name}"
            ) from error
        plan_file = run_dir / PLAN_NAME
        sink.open(store.run(run_id), read_plan(plan_file) if plan_file.exists() else None)
        rows = 0
        try:
            while True:
                now = _now(store, run_id)  # before reading: what an ended run committed is then all there
                place, told = _catch_up(store, run_id, sink, place, place_file)
                rows += told
                if not (follow and now.status.is_live):
                    return rows
                wait(POLL_SECONDS)
        finally:
            sink.close(str(_now(store, run_id).status.value))


def _now(store: RunStore, run_id: str) -> RunSummary:
    return with_status(store.run(run_id), store.lease(run_id))


def _catch_up(store: RunStore, run_id: str, sink: MetricSink, place: Place, place_file: Path) -> tuple[Place, int]:
    rows, more = 0, True
    while more:
        batch = store.read(run_id, place.cursor, limit=BATCH_ROWS)
        if batch.events or batch.metrics:
            tell(sink, batch)
            sink.flush()
            place = Place(event=batch.cursor.event, metric=batch.cursor.metric)
            save_place(place_file, place)
        rows, more = rows + len(batch.metrics), batch.more
    return place, rows


def tell(sink: MetricSink, batch: ReadBatch) -> None:
    """One batch in order: an attempt's rows come after its events, and before the events of the next attempt."""
    for item in sorted((*batch.events, *batch.metrics), key=lambda each: each.attempt):
        if isinstance(item, StoredEvent):
            if not isinstance(item.event, Launched):  # names a machine and a process of ours
                sink.event(item)
        else:
            sink.write(item.step, {**item.values, "attempt": float(item.attempt)}, item.at)
