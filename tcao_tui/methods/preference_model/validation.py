"""Held-out pairs, judged in both orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.methods.at_once import at_most, in_chunks
from tcao_tui.methods.evaluation import FORWARD_ROWS, FORWARDS_AT_ONCE, Validated
from tcao_tui.methods.pairs import PairRows
from tcao_tui.methods.preference_model.comparisons import with_both_letters


@dataclass(frozen=True, slots=True)
class JudgementValidation:
    """A `Validate` over comparisons."""

    backend: TinkerBackend
    trainer: Trainer
    pairs: PairRows
    letters: list[int]

    async def __call__(self) -> Validated:
        """Judge all pairs twice."""
        rows = self.pairs.judged
        found = await at_most(FORWARDS_AT_ONCE, self._judge, in_chunks(rows, FORWARD_ROWS))
        logprobs = np.concatenate([judged for judged, _ in found])
        # Rows stand in turn: the chosen answer first, then last.
        each, letter = np.arange(len(rows)), np.arange(len(rows)) % 2
        right, wrong = logprobs[each, letter], logprobs[each, 1 - letter]
        values = {"val_accuracy": float((right > wrong).mean()), "val_mean_nll": float(-right.mean())}
        return Validated(values, sum(tokens for _, tokens in found))

    async def _judge(self, rows: Sequence[int]) -> tuple[np.ndarray, int]:
        """Logprobs of both letters, shape (rows, 2), and the tokens that were read."""
        data = with_both_letters(self.pairs, rows, self.letters)
        with self.backend.calling("validation"):
            output = await self.trainer.client.forward(data, "cross_entropy")
            last = [each["logprobs"].to_numpy().reshape(-1, 2)[-1] for each in output.loss_fn_outputs]
        return np.stack(last), sum(each.model_input.length for each in data)
