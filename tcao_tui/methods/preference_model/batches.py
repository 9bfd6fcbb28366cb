"""Batches of comparisons: each pair once in an epoch, in an order that is drawn; in the next the other way round."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from tcao_tui.clients.tinker_port import StepResult, Trainer
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.methods.pairs import PairData
from tcao_tui.methods.submitting import Sent


class ComparisonBatches:
    """A `Stepper` over comparisons.

    Args:
        trainer: The LoRA.
        data: Pairs rendered in both orders, and which of them make up which batch.
        seed: Of the draw.
    """

    def __init__(self, trainer: Trainer, data: PairData, seed: int) -> None:
        self._trainer, self._data, self._seed = trainer, data, seed

    async def submit(self, cursor: DataCursor, learning_rate: float) -> Sent:
        """Send the batch at `cursor`."""
        pairs = self._data.order.batch(cursor)
        batch = self._data.train.rows.data([2 * pair + self._order(pair, cursor.epoch) for pair in pairs])
        return Sent(self._trainer.submit_step(batch, learning_rate=learning_rate), {"num_pairs": len(pairs)})

    def values(self, result: StepResult) -> Mapping[str, float]:
        """Mean negative log-likelihood of the right letter, nats."""
        return {"train_mean_nll": result.loss_sum / result.loss_tokens if result.loss_tokens else math.nan}

    def _order(self, pair: int, epoch: int) -> int:
        """0 with the chosen answer first, 1 with it last."""
        return (random.Random(f"{self._seed}:order:{pair}").getrandbits(1) + epoch) % 2
