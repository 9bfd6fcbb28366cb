"""A trainer that counts: it applies updates in order, and its loss is a function of the updates applied so far.

Out of scope: tokens; `nll` and samples say how many updates the weights hold, which is what the tests ask.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence

import tinker

from tcao_tui.clients.tinker_port import SavedWeights, StepResult


class CountingTrainer:
    """Applies an update when its result is first awaited or when a later one is.

    Attributes:
        applied: First token of each row of each update applied, in order.
        rates: Learning rate of each update, as submitted.
        most_ahead: Most updates that were submitted and not awaited.
        nan_at: Update whose loss is not a number.
    """

    def __init__(self, *, nan_at: int = 0) -> None:
        self.applied: list[list[int]] = []
        self.in_flight: list[_Pending] = []
        self.most_ahead = 0
        self.nan_at = nan_at
        self.rates: list[float] = []
        self.saved: dict[str, int] = {}

    def submit_step(self, batch: Sequence[tinker.Datum], *, learning_rate: float) -> _Pending:
        self.rates.append(learning_rate)
        pending = _Pending(self, batch)
        self.in_flight.append(pending)
        self.most_ahead = max(self.most_ahead, len(self.in_flight))
        return pending

    async def nll(self, batch: Sequence[tinker.Datum]) -> StepResult:
        return StepResult(float(len(self.applied) * len(batch)), float(len(batch)), 10)

    async def sampler(self) -> CountingTrainer:
        return self

    async def sample(
        self, prompt: tinker.ModelInput, *, max_tokens: int, stop: Sequence[str] | Sequence[int], seed: int
    ) -> Sequence[int]:
        return [len(self.applied)]

    async def save(self, name: str, *, ttl_seconds: int | None, metadata: Mapping[str, str]) -> SavedWeights:
        assert not self.in_flight, "saved with updates in flight"
        assert name not in self.saved, "a name was used twice"
        self.saved[name] = len(self.applied)
        return SavedWeights(f"tinker://fake/weights/{name}", f"tinker://fake/sampler_weights/{name}")


class _Pending:
    def __init__(self, trainer: CountingTrainer, batch: Sequence[tinker.Datum]) -> None:
        self._trainer = trainer
        self._batch = batch

    async def result(self) -> StepResult:
        await asyncio.sleep(0)
        assert self._trainer.in_flight[0] is self, "awaited out of order"
        self._trainer.in_flight.pop(0)
        self._trainer.applied.append([datum.model_input.to_ints()[0] for datum in self._batch])
        loss = math.nan if len(self._trainer.applied) == self._trainer.nan_at else 1.0 / len(self._trainer.applied)
        rows = float(len(self._batch))
        return StepResult(loss * rows, rows, sum(d.model_input.length for d in self._batch), {"server": 1.0})
