"""Batches of pairs: the reference's opinion asked ahead, the DPO loss submitted ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from tcao_tui.clients.tinker_port import StepResult, Trainer
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.methods.dpo.loss import dpo_loss
from tcao_tui.methods.pairs import PairData
from tcao_tui.methods.reference import Reference
from tcao_tui.methods.submitting import Sent


class PairBatches:
    """A `Stepper` over rendered pairs.

    Args:
        trainer: The LoRA.
        data: All pairs that will be trained, and which of them make up which batch.
        reference: The fixed weights.
        config: How many batches there are, and how many are on their way.
        beta: Strength of the pull towards the reference.
    """

    def __init__(
        self, trainer: Trainer, data: PairData, reference: Reference, config: TrainingConfig, *, beta: float
    ) -> None:
        self._trainer, self._pairs, self._order, self._reference = trainer, data.train, data.order, reference
        self._steps, self._ahead, self._beta = config.num_steps, config.submit_ahead + 2, beta

    async def submit(self, cursor: DataCursor, learning_rate: float) -> Sent:
        """Send the batch at `cursor`, once the reference's opinion of it is known."""
        pairs = self._order.batch(cursor)
        rows = self._pairs.sides(pairs)
        self._reference.ask(rows)
        for batch in self._next(cursor):
            self._reference.ask(self._pairs.sides(batch))
        loss = partial(dpo_loss, reference=await self._reference.scores(rows), beta=self._beta)
        batch = self._pairs.rows.data(rows)
        pending = self._trainer.submit_custom_step(batch, loss, learning_rate=learning_rate)
        # A loss of ours needs the logprobs first: the SDK sends the batch forward, then forward and backward.
        forward = sum(datum.model_input.length for datum in batch)
        read = self._reference.take_tokens()
        return Sent(pending, {"num_pairs": len(pairs)}, prefill_tokens=read, forward_tokens=forward)

    def values(self, result: StepResult) -> Mapping[str, float]:
        """The loss; what else it found comes with the answer."""
        return {"dpo_loss": result.loss_sum}

    def _next(self, cursor: DataCursor) -> list[Sequence[int]]:
        """Batches that follow in the same epoch; of those of the next, the reference knows nearly all pairs."""
        left = self._steps - 1 - cursor.epoch * self._order.batches_per_epoch
        stop = min(cursor.batch + 1 + self._ahead, self._order.batches_per_epoch, left + 1)
        return [
            self._order.batch(DataCursor(epoch=cursor.epoch, batch=batch)) for batch in range(cursor.batch + 1, stop)
        ]
