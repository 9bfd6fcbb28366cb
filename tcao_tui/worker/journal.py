"""The worker's hand on the store: commits that several threads share, the mirror for people, and what they add up to.

Every commit is a numbered side effect. A mirror that cannot be written never stops the training.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from tcao_tui.domain.events import LogLine, MetricRow, RunEvent, Spend, UnknownEvent
from tcao_tui.domain.headlines import validation_rank
from tcao_tui.errors import ExitCode, TcaoError
from tcao_tui.store.port import Cursor, RunStore, RunWriter, StoreUnwritable
from tcao_tui.worker.orders import Orders
from tcao_tui.worker.recovery import Lineage
from tcao_tui.worker.side_effects import SideEffects

_ROWS_AT_ONCE = 10_000


class StorageFailed(TcaoError):
    """The run store cannot be written; what it holds is intact."""

    title = "Storage"
    exit_code = ExitCode.RESUMABLE


class MirrorPort(Protocol):
    """Repeats commits in the cookbook's layout, for people and cookbook tools."""

    def write(self, *, events: Sequence[RunEvent], metrics: Sequence[MetricRow]) -> None:
        """Append what one commit held. Raises `OSError`."""
        ...


class Journal:
    """Commits of a worker, attempt after attempt.

    Args:
        store: The run store.
        run_id: The run, whose lock this process holds.
        mirror: Where commits are repeated for people.
        effects: Numbered side effects.
        clock: Unix seconds.

    Attributes:
        lineage: Checkpoints and resume steps, as committed so far.
        orders: What watch rules and pilot want of the run, as committed so far.
        val_rank: How good validation found the weights, by step; lower is better.
        last_step: Highest step that this attempt, or an earlier one of this process, recorded.
        spent_usd: Cost of all attempts; None is unknown.
    """

    def __init__(
        self, store: RunStore, run_id: str, *, mirror: MirrorPort, effects: SideEffects, clock: Callable[[], float]
    ) -> None:
        self._store, self._run_id, self._mirror, self._effects = store, run_id, mirror, effects
        self.clock = clock
        self._lock = threading.Lock()
        self._mirror_failed = False
        self._writer: RunWriter | None = None
        self.lineage = Lineage()
        self.orders = Orders()
        self.val_rank: dict[int, float] = {}
        self.last_step = 0
        self.spent_usd: float | None = store.run(run_id).cost_usd
        self._read_past()

    @property
    def attempt(self) -> int:
        """Number of the present attempt."""
        return self._open().attempt

    @property
    def fence(self) -> int:
        """Epoch number of the present attempt's lease."""
        return self._open().fence

    @property
    def progress(self) -> int:
        """Grows with every update and every cell of a range test that this process recorded."""
        return self.last_step + len(self.lineage.range_cells)

    def open_attempt(self) -> None:
        """Raise the fence and number the next attempt."""
        with self._lock, self._effects.point("store.writer"):
            self._writer = self._store.writer(self._run_id)
            self.last_step = 0

    def commit(self, *events: RunEvent, metrics: Sequence[MetricRow] = (), spends: Sequence[Spend] = ()) -> None:
        """Commit all or nothing, then mirror it. Raises `Fenced` or `StorageFailed`."""
        with self._lock:
            writer = self._open()
            with self._effects.point("store.commit"):
                self._write(writer, events, metrics, spends)
            for event in events:
                self._apply(writer.attempt, event)
            for row in metrics:
                self._note(row)
            self.spent_usd = self.spent_with(spends)
            self._repeat(writer, events, metrics)

    def heartbeat(self) -> None:
        """Say that the worker lives. Raises `Fenced`."""
        with self._lock:
            if self._writer is not None:
                self._writer.heartbeat()

    def _write(
        self,
        writer: RunWriter,
        events: Sequence[RunEvent],
        metrics: Sequence[MetricRow] = (),
        spends: Sequence[Spend] = (),
    ) -> None:
        try:
            writer.commit(events=events, metrics=metrics, spends=spends)
        except StoreUnwritable as error:
            raise StorageFailed(error.what, where=error.where, next_step=error.next_step) from error

    def _open(self) -> RunWriter:
        if self._writer is None:
            raise RuntimeError("no attempt is open")
        return self._writer

    def spent_with(self, spends: Sequence[Spend]) -> float | None:
        """Cost of all attempts once these entries are committed, USD; None is unknown."""
        total = self.spent_usd
        for spend in spends:
            total = None if total is None or spend.usd is None else total + spend.usd
        return total

    def pinned(self) -> frozenset[str]:
        """Paths of checkpoints that people pinned: never deleted, and never given an expiry."""
        return frozenset(path for path, note in self._store.checkpoint_notes.all().items() if note.pinned)

    def rows(self) -> Iterator[MetricRow]:
        """Rows of the lineage that the present attempt goes on from, in the order of their commits."""
        nothing = 2**62
        cursor, more = Cursor(event=nothing, spend=nothing), True
        while more:
            batch = self._store.read(self._run_id, cursor, limit=_ROWS_AT_ONCE)
            cursor, more = batch.cursor, batch.more
            yield from (row for row in batch.metrics if not self.lineage.is_superseded(row.attempt, row.step))

    def _apply(self, attempt: int, event: RunEvent | UnknownEvent) -> None:
        self.lineage.apply(attempt, event)
        self.orders.apply(event)

    def _note(self, row: MetricRow) -> None:
        self.last_step = max(self.last_step, row.step)
        self.lineage.note(row)
        if (rank := validation_rank(row.values)) is not None:
            self.val_rank[row.step] = rank

    def _read_past(self) -> None:
        """What earlier workers committed; ledger entries are in the run's row already."""
        cursor, more = Cursor(spend=2**62), True
        while more:
            batch = self._store.read(self._run_id, cursor, limit=_ROWS_AT_ONCE)
            cursor, more = batch.cursor, batch.more
            for stored in batch.events:
                self._apply(stored.attempt, stored.event)
            for row in batch.metrics:
                self._note(row)
        self.last_step = 0

    def _repeat(self, writer: RunWriter, events: Sequence[RunEvent], metrics: Sequence[MetricRow]) -> None:
        try:
            with self._effects.point("mirror.write"):
                self._mirror.write(events=events, metrics=metrics)
        except OSError as error:
            if not self._mirror_failed:
                self._mirror_failed = True
                print(f"mirror: {error}", file=sys.stderr, flush=True)
                said = f"the mirror for people cannot be written ({error.strerror}); the run store is not affected"
                self._write(writer, [LogLine(level="warning", message=said)])
