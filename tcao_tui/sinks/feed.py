"""Feeds a sink from the store by polling; the place is saved after each batch, so that a killed feed goes on there.

A kill between the last write of a batch and the saved place tells at most that batch again, with equal numbers.
Steps that a resumed attempt trained anew are told once, as that attempt has them, unless they were told before it
resumed: each sink says what it does about those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path

from tcao_tui.domain.events import Launched, MetricRow, Resumed, Scored, StoredEvent
from tcao_tui.domain.liveness import with_status
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.errors import TcaoError
from tcao_tui.sinks.kept import Place, load_place, only_one, save_place
from tcao_tui.sinks.port import MetricSink
from tcao_tui.store.plan_file import PLAN_NAME, read_plan
from tcao_tui.store.port import PAST_EVERY_ROW, Cursor, RunStore

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
        TcaoError: The SDK is not installed, the other program refuses, or the saved place cannot be read.
    """
    place_file = run_dir / f"sink-{name}.json"
    with only_one(run_dir / f"sink-{name}.lock", f"a sink of {run_id} to {name}"):
        place = _load(place_file)
        plan_file = run_dir / PLAN_NAME
        plan = read_plan(plan_file) if plan_file.exists() else None
        try:
            sink.open(store.run(run_id), plan)
            return _Feed(store, run_id, sink, place, place_file).run(follow=follow, wait=wait)
        except sink.errors as error:
            raise TcaoError(
                f"{name}: {one_line(str(error), 300) or type(error).__name__}",
                next_step="the run is not touched; the same command goes on from here",
            ) from error


def _load(place_file: Path) -> Place:
    try:
        return load_place(place_file)
    except (OSError, ValueError) as error:
        raise TcaoError(
            "how far the sink was told cannot be read", where=str(place_file), next_step=f"rm {place_file.name}"
        ) from error


class _Feed:
    def __init__(self, store: RunStore, run_id: str, sink: MetricSink, place: Place, place_file: Path) -> None:
        self._store, self._run_id, self._sink = store, run_id, sink
        self._place, self._place_file = place, place_file
        self._resumes: dict[int, int] = {}
        # From the first event on: rows may be read long after the events that supersede them.
        self._looked_up = Cursor(metric=PAST_EVERY_ROW, spend=PAST_EVERY_ROW)

    def run(self, *, follow: bool, wait: Callable[[float], None]) -> int:
        rows = 0
        try:
            while True:
                now = _now(self._store, self._run_id)  # before reading: what an ended run committed is then all there
                self._read_resumes()
                rows += self._catch_up()
                if not (follow and now.status.is_live):
                    return rows
                wait(POLL_SECONDS)
        finally:
            self._sink.close(str(_now(self._store, self._run_id).status.value))

    def _read_resumes(self) -> None:
        """Attempts that went on from an earlier one are looked up ahead, so that what they train anew is left out."""
        more = True
        while more:
            batch = self._store.read(self._run_id, self._looked_up)
            self._resumes |= {e.attempt: e.event.step for e in batch.events if isinstance(e.event, Resumed)}
            self._looked_up, more = batch.cursor, batch.more

    def _catch_up(self) -> int:
        rows, more = 0, True
        while more:
            batch = self._store.read(self._run_id, self._place.cursor, limit=BATCH_ROWS)
            if batch.events or batch.metrics:
                for row in batch.metrics:
                    if row.batch is not None and row.attempt > 1:
                        # An attempt that found no checkpoint trains from the start, and no `Resumed` says so.
                        self._resumes.setdefault(row.attempt, row.step - 1)
                kept = [row for row in batch.metrics if row.step <= self._last_step_kept(row.attempt)]
                rows += len(kept)
                tell(self._sink, batch.events, kept)
                self._sink.flush()
                self._place = Place(event=batch.cursor.event, metric=batch.cursor.metric)
                save_place(self._place_file, self._place)
            more = batch.more
        return rows

    def _last_step_kept(self, attempt: int) -> float:
        return min((step for later, step in self._resumes.items() if later > attempt), default=inf)


def _now(store: RunStore, run_id: str) -> RunSummary:
    return with_status(store.run(run_id), store.lease(run_id))


def tell(sink: MetricSink, events: Sequence[StoredEvent], rows: Sequence[MetricRow]) -> None:
    """One batch in order: an attempt's rows come after its events, and before the events of the next attempt."""
    for item in sorted((*events, *rows), key=lambda each: each.attempt):
        if isinstance(item, StoredEvent):
            if not isinstance(item.event, Launched):  # names a machine and a process of ours
                sink.event(item)
            if isinstance(item.event, Scored) and item.event.value is not None:
                sink.write(item.event.step, {f"score/{item.event.name}": item.event.value}, item.at)
        else:
            sink.write(item.step, {**item.values, "attempt": float(item.attempt)}, item.at)
