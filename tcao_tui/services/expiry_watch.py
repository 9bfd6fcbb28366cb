"""Resume points that runs may need and would lose soon, by what our store knows of them. No server is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tcao_tui.domain.checkpoint_listing import NO_NOTE, CheckpointNote, ListedCheckpoint
from tcao_tui.domain.checkpoint_places import RunPlaces
from tcao_tui.domain.expiring import Expiring, expiring
from tcao_tui.domain.run_view import RunStatus, RunSummary
from tcao_tui.services.checkpoint_places import CheckpointPlaces, as_listed
from tcao_tui.services.runs import list_runs
from tcao_tui.store.port import RunStore


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """What is about to expire; `news` are those that were not told yet with so little time left."""

    found: tuple[Expiring, ...]
    news: tuple[Expiring, ...]


class ExpiryWatch:
    """Watches the runs that are paused or down; may be asked from any thread.

    Args:
        store: The run store; closed with this.
        clock: Unix seconds.
    """

    def __init__(self, store: RunStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._places = CheckpointPlaces(store)
        self._folded: dict[str, tuple[RunSummary, RunPlaces]] = {}
        self._told: dict[str, int] = {}
        self._lock = threading.Lock()

    def poll(self) -> ExpiryReport:
        """Look again; blocks on disk, longest the first time. Only runs that changed are read anew."""
        with self._lock:
            notes = self._store.checkpoint_notes.all()
            waiting = [run for run in list_runs(self._store) if _may_go_on(run)]
            points = [point for run in waiting for point in self._resume_point(run, notes)]
            found = expiring(points, now=self._clock())
            news = tuple(one for one in found if one.stage > self._told.get(one.checkpoint.path, 0))
            self._told |= {one.checkpoint.path: one.stage for one in news}
        return ExpiryReport(found, news)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _resume_point(self, run: RunSummary, notes: Mapping[str, CheckpointNote]) -> Iterator[ListedCheckpoint]:
        """What the run would go on from, if it has anything, with the expiry that was said last."""
        seen, places = self._folded.get(run.run_id, (None, None))
        if places is None or seen != run:
            places = self._places.of_run(run)
            self._folded[run.run_id] = run, places
        for record in places.records()[-1:]:
            note = notes.get(record.state_path, NO_NOTE)
            server = as_listed(record, run)[0].model_copy(update={"expires_at": places.expires_at(record, note)})
            yield ListedCheckpoint(server, own=places.own(server), note=note)


def _may_go_on(run: RunSummary) -> bool:
    return run.status is RunStatus.PAUSED or (run.status.is_resumable and run.status is not RunStatus.CREATED)
