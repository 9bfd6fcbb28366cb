"""Watching a run of our store: reads what is new, folds it, judges liveness, and gives one view per poll.

Long runs are opened by `follow_long`. Out of scope: how often to poll, and drawing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui import paths
from tcao_tui.domain.run_state import RunState
from tcao_tui.services.follow_long import LONG_RUN_STEPS, FileStore, LongRun
from tcao_tui.store.loader_process import LoaderProcess
from tcao_tui.store.port import PAST_EVERY_ROW, Cursor, RunStore

if TYPE_CHECKING:
    from tcao_tui.domain.run_view import LeaseState, RunView, ViewSource

POLL_SECONDS = 0.1
"""Longest time that one poll reads."""

_BATCH_ROWS = 1_000


class Follower:
    """`ViewSource` of one run.

    Args:
        store: The run store.
        run_id: Full id of the run.
        clock: Unix time, seconds.
        cache_dir: Where column caches of long runs are kept; the user's cache directory when None.
        long_run_steps: Runs of at least so many steps are opened by sampling.
        start_loader: Starts the helper process that reads a long run.

    Raises:
        UsageError: There is no such run.
    """

    def __init__(
        self,
        store: RunStore,
        run_id: str,
        *,
        clock: Callable[[], float] = time.time,
        cache_dir: Path | None = None,
        long_run_steps: int = LONG_RUN_STEPS,
        start_loader: Callable[[list[str]], LoaderProcess] = LoaderProcess,
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._clock = clock
        summary = store.run(run_id)
        self._state = RunState(summary)
        self._cursor = Cursor()
        self._caught_up = False
        self._changes: Hashable = None
        self._lease: LeaseState | None = None
        self._pending = ""
        self._view: RunView | None = None
        self._long: LongRun | None = None
        if summary.step >= long_run_steps and isinstance(store, FileStore):
            self._long = LongRun(store.path, run_id, cache_dir or paths.cache_dir(), start_loader=start_loader)
            self._cursor = Cursor(metric=PAST_EVERY_ROW, spend=PAST_EVERY_ROW)  # those come from the helper process

    @property
    def caught_up(self) -> bool:
        """Whether the last poll reached the end of what is written."""
        return self._caught_up and self._long is None

    def poll(self) -> RunView:
        """Read what is new, bounded by count and time; the very same view when nothing changed in a run that rests."""
        lease, changes = self._store.lease(self._run_id), self._store.changes()
        if self._view is not None and self._rests(lease, changes):
            return self._view
        if changes != self._changes or not self._caught_up:
            self._read()
            pending = self._store.pending_controls(self._run_id)
            self._pending = pending[-1].verb if pending else ""
        if self._long is not None:
            self._watch_long(self._long)
        self._changes, self._lease = changes, lease
        self._view = self._make_view(lease)
        return self._view

    def close(self) -> None:
        """End the helper process; the store belongs to whoever opened it."""
        if self._long is not None:
            self._long.close()

    def _rests(self, lease: LeaseState, changes: Hashable) -> bool:
        view, same = self._view, changes == self._changes and self._lease is not None
        resting = view is not None and not view.status.is_live and not lease.held
        return bool(same and resting and self.caught_up and self._lease and not self._lease.held)

    def _read(self) -> None:
        give_up_at = time.monotonic() + POLL_SECONDS
        while True:
            batch = self._store.read(self._run_id, self._cursor, limit=_BATCH_ROWS)
            for event in batch.events:
                self._state.apply(event)
            for row in batch.metrics:
                self._state.apply_metrics(row)
            for spend in batch.spends:
                self._state.apply_spend(spend)
            self._cursor, self._caught_up = batch.cursor, not batch.more
            if not batch.more or time.monotonic() >= give_up_at:
                return

    def _watch_long(self, long: LongRun) -> None:
        found = long.poll()
        if found is None and not long.failed:
            return
        if not self._caught_up:  # a rewind that is not folded yet would cut what it does not concern
            return
        if found is not None:
            self._state.adopt(found.metrics)
            self._cursor = replace(self._cursor, metric=found.metric, spend=found.spend)
        else:
            self._cursor = replace(self._cursor, metric=0, spend=0)
        long.close()
        self._long, self._caught_up = None, False
        self._read()

    def _make_view(self, lease: LeaseState) -> RunView:
        view = self._state.view(lease, now=self._clock(), pending_verb=self._pending)
        if self._long is None:
            return view
        summary, sample = self._state.summary, self._long.sample
        return replace(
            view,
            series=sample.series,
            step=max(view.step, summary.step),
            tokens=summary.tokens,
            cost_usd=summary.cost_usd,
            is_sampled=True,
            notes=(*view.notes, self._long.note),
        )


def to_end(source: ViewSource) -> RunView:
    """What a source has now, read to the end."""
    view = source.poll()
    while not source.caught_up:
        view = source.poll()
    return view


def read_view(store: RunStore, run_id: str) -> RunView:
    """A run as it is now, read to the end. Raises `UsageError` when there is no such run."""
    with closing(Follower(store, run_id)) as source:
        return to_end(source)
