"""The fold of a run's record into what it had used at each step. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable

from tcao_tui.domain.comparison import Ledger
from tcao_tui.domain.events import Launched, MetricRow, Spend, StoredEvent


class LedgerState:
    """Takes a run's events, rows and spends in the order of the store."""

    def __init__(self) -> None:
        self._launched: dict[int, float] = {}
        self._ended: dict[int, float] = {}
        self._rows: dict[int, tuple[int, float]] = {}
        self._tokens: dict[int, int] = {}
        self._usd: dict[int, float] = {}

    def add(self, events: Iterable[StoredEvent], rows: Iterable[MetricRow], spends: Iterable[Spend]) -> None:
        """Fold what is new."""
        for stored in events:
            if isinstance(stored.event, Launched):
                self._launched[stored.attempt] = stored.at
            self._ended[stored.attempt] = max(self._ended.get(stored.attempt, stored.at), stored.at)
        for row in rows:
            self._ended[row.attempt] = max(self._ended.get(row.attempt, row.at), row.at)
            if row.batch is not None or row.step == 0:
                self._rows[row.step] = row.attempt, row.at
        for spend in spends:
            self._tokens[spend.step] = self._tokens.get(spend.step, 0) + spend.tokens
            usd = math.nan if spend.usd is None else spend.usd
            self._usd[spend.step] = self._usd.get(spend.step, 0.0) + usd

    def ledger(self) -> Ledger:
        """Cumulative by step."""
        before: dict[int, float] = {}
        total = 0.0
        for attempt in sorted(self._ended):
            before[attempt] = total - self._launched.get(attempt, self._ended[attempt])
            total += self._ended[attempt] - self._launched.get(attempt, self._ended[attempt])
        steps = sorted({*self._rows, *self._tokens})
        timed = sorted(self._rows)
        tokens, usd, seconds = 0.0, 0.0, list[float]()
        all_tokens, all_usd = list[float](), list[float]()
        for step in steps:
            tokens += self._tokens.get(step, 0)
            usd += self._usd.get(step, 0.0)
            all_tokens.append(tokens)
            all_usd.append(usd)
            nearest = bisect_right(timed, step) - 1
            attempt, at = self._rows[timed[nearest]] if nearest >= 0 else (0, 0.0)
            seconds.append(before[attempt] + at if nearest >= 0 else 0.0)
        return Ledger(steps, all_tokens, seconds, all_usd)
