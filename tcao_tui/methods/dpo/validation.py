"""Held-out pairs: how many the present weights judge right, and by how much."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.methods.at_once import at_most, in_chunks
from tcao_tui.methods.dpo.loss import dpo_loss
from tcao_tui.methods.evaluation import FORWARD_ROWS, FORWARDS_AT_ONCE, Validated
from tcao_tui.methods.pairs import PairRows
from tcao_tui.methods.reference import Reference


@dataclass(frozen=True, slots=True)
class PairValidation:
    """A `Validate` over pairs; the reference is asked about each of them once."""

    backend: TinkerBackend
    trainer: Trainer
    pairs: PairRows
    reference: Reference
    beta: float

    async def __call__(self) -> Validated:
        """Measure all pairs that say something."""
        rows = self.pairs.judged
        reference, logprobs = await asyncio.gather(
            self.reference.scores(rows),
            at_most(FORWARDS_AT_ONCE, self._forward, in_chunks(rows, FORWARD_ROWS)),
        )
        data = self.pairs.rows.data(rows)
        _, found = dpo_loss(data, [row for chunk in logprobs for row in chunk], reference, self.beta)
        values = {
            "val_accuracy": found["reward_accuracy"],
            "val_margin": found["reward_margin"],
            "val_dpo_loss": found["dpo_loss"],
            "val_mean_nll": found["chosen_mean_nll"],
        }
        return Validated(values, sum(each.model_input.length for each in data), self.reference.take_tokens())

    async def _forward(self, rows: Sequence[int]) -> list[torch.Tensor]:
        with self.backend.calling("validation"):
            output = await self.trainer.client.forward(self.pairs.rows.data(rows), "cross_entropy")
            return [each["logprobs"].to_torch() for each in output.loss_fn_outputs]
