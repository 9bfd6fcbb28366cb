"""Playing the record of a run: its events and rows come again in their order and, scaled, at their pace.

Reads only. Carrying out a run's plan again is the business of `services.proposals`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import attrgetter

from tcao_tui.domain.events import MetricRow, Spend, StoredEvent
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import LeaseState, RunView
from tcao_tui.store.port import Cursor, RunStore

LONGEST_GAP_SECONDS = 2.0
"""Silence in the record, such as the night between two attempts, is cut to this, seconds of the record."""


class ReplaySource:
    """A `ViewSource` that plays a recorded run.

    Args:
        store: Where it is recorded.
        run_id: Which run.
        speed: Seconds of the record per second of playing.
        clock: Seconds that do not jump.
    """

    def __init__(
        self, store: RunStore, run_id: str, *, speed: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._state = RunState(store.run(run_id))
        self._record, self._spends = _record(store, run_id)
        self._due = _due_seconds(self._record)
        self._next = 0
        self._speed = speed
        self._clock = clock
        self._started = clock()

    @property
    def caught_up(self) -> bool:
        """Whether nothing more is due at this moment."""
        return self._next == len(self._record) or self._due[self._next] > self._played_seconds()

    @property
    def is_over(self) -> bool:
        """Whether the whole record was played."""
        return self._next == len(self._record)

    def poll(self) -> RunView:
        """Fold what is due by now."""
        played = self._played_seconds()
        while self._next < len(self._record) and self._due[self._next] <= played:
            fact = self._record[self._next]
            if isinstance(fact, StoredEvent):
                self._state.apply(fact)
            else:
                self._state.apply_metrics(fact)
                for spend in self._spends.pop(fact.step, ()):
                    self._state.apply_spend(spend)
            self._next += 1
        now = self._record[self._next - 1].at if self._next else self._state.summary.created_at
        playing = LeaseState(held=not self.is_over, heartbeat_age_seconds=0.0, pid=None, host="", fence=1)
        return self._state.view(playing, now=now)

    def close(self) -> None:
        """Nothing is held."""

    def _played_seconds(self) -> float:
        return (self._clock() - self._started) * self._speed


def _record(store: RunStore, run_id: str) -> tuple[list[StoredEvent | MetricRow], dict[int, list[Spend]]]:
    """Everything that was recorded, by time; spends, which have no time, by step."""
    record: list[StoredEvent | MetricRow] = []
    spends: dict[int, list[Spend]] = {}
    cursor, more = Cursor(), True
    while more:
        batch = store.read(run_id, cursor)
        cursor, more = batch.cursor, batch.more
        record += [*batch.events, *batch.metrics]
        for spend in batch.spends:
            spends.setdefault(spend.step, []).append(spend)
    return sorted(record, key=attrgetter("at")), spends


def _due_seconds(record: list[StoredEvent | MetricRow]) -> list[float]:
    """When each fact is due, in seconds of the record after its start, long gaps cut."""
    due: list[float] = []
    played, before = 0.0, record[0].at if record else 0.0
    for fact in record:
        played += min(max(0.0, fact.at - before), LONGEST_GAP_SECONDS)
        due.append(played)
        before = fact.at
    return due
