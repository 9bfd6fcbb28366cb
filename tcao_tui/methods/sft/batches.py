"""Batches of supervised training: rendered rows in the plan's order, and the loss of each."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tcao_tui.clients.tinker_port import StepResult, Trainer
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.methods.sft.loading import TrainingData
from tcao_tui.methods.submitting import Sent


class RowBatches:
    """A `Stepper` over rendered rows."""

    def __init__(self, trainer: Trainer, data: TrainingData) -> None:
        self._trainer, self._data = trainer, data

    async def submit(self, cursor: DataCursor, learning_rate: float) -> Sent:
        """Send the batch at `cursor`."""
        rows = self._data.order.batch(cursor)
        batch = self._data.train.data(rows)
        pending = self._trainer.submit_step(batch, learning_rate=learning_rate)
        return Sent(pending, {"num_loss_tokens": self._data.train.loss_tokens_of(rows)})

    def values(self, result: StepResult) -> Mapping[str, float]:
        """Mean negative log-likelihood of the batch, nats per unit of weight."""
        return {"train_mean_nll": result.loss_sum / result.loss_tokens if result.loss_tokens else math.nan}
