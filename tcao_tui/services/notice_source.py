"""What happens to any run of a store from now on that is worth telling, each fact once. Telling it is the caller's."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterator

from tcao_tui.domain.notices import Notice, NoticeKind, expiry_notice, lost_notice, notice_of, standing_text
from tcao_tui.domain.run_view import RunStatus, RunSummary
from tcao_tui.services.expiry_watch import ExpiryWatch
from tcao_tui.services.runs import list_runs
from tcao_tui.store.port import PAST_EVERY_ROW, Cursor, RunStore

EXPIRY_SECONDS = 600.0
"""Time between two looks at what is about to expire."""


class NoticeSource:
    """Watches all runs; what was committed before it was made is no news.

    Args:
        store: The run store; closed with this.
        kinds: What is worth telling.
        clock: Unix seconds.
    """

    def __init__(
        self, store: RunStore, kinds: Collection[NoticeKind], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._kinds, self._clock = store, kinds, clock
        self._expiry, self._expiry_due = ExpiryWatch(store, clock=clock), 0.0
        self._seen = {run.run_id: run for run in list_runs(store)}
        self._start = store.end()
        self._read_until: dict[str, int] = {}
        self._changes: Hashable = None
        self._lost = {(run.run_id, run.attempt) for run in self._seen.values() if run.status is RunStatus.LOST}

    def poll(self) -> list[Notice]:
        """What is new, run by run; blocks on disk."""
        found = [*self._expiring(), *self._happened()]
        return [notice for notice in found if notice.kind in self._kinds]

    def _expiring(self) -> list[Notice]:
        now = self._clock()
        if now < self._expiry_due:
            return []
        self._expiry_due = now + EXPIRY_SECONDS
        return [expiry_notice(one, at=now) for one in self._expiry.poll().news]

    def _happened(self) -> list[Notice]:
        changes = self._store.changes()
        if changes == self._changes and not any(run.recorded_status.is_live for run in self._seen.values()):
            return []
        self._changes = changes
        return [notice for run in list_runs(self._store) for notice in self._of(run)]

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _of(self, run: RunSummary) -> Iterator[Notice]:
        before = self._seen.get(run.run_id)
        self._seen[run.run_id] = run
        if run != before or run.recorded_status.is_live:
            yield from self._told_by_events(run)
        if run.status is RunStatus.LOST and (run.run_id, run.attempt) not in self._lost:
            self._lost.add((run.run_id, run.attempt))
            yield lost_notice(run.run_id, run.name, at=run.updated_at)

    def _told_by_events(self, run: RunSummary) -> Iterator[Notice]:
        more = True
        while more:
            start = self._read_until.get(run.run_id, self._start.event)
            batch = self._store.read(run.run_id, Cursor(start, PAST_EVERY_ROW, PAST_EVERY_ROW))
            self._read_until[run.run_id], more = batch.cursor.event, batch.more
            # Looked up after the events were read: what a run that has ended committed is then all there.
            standing = standing_text(self._store.run(run.run_id)) if batch.events else ""
            told = (notice_of(stored, run.name, standing) for stored in batch.events)
            yield from (notice for notice in told if notice is not None)
