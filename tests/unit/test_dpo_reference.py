"""The reference model is asked once for each answer, ahead of the batch that needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pytest
import tinker

from tcao_tui.clients.tinker_port import PendingStep, TinkerBackend, Trainer
from tcao_tui.data.order import BatchOrder
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.methods.dpo.batches import PairBatches
from tcao_tui.methods.pairs import PairData, PairRows
from tcao_tui.methods.reference import Reference
from tests.fakes.rendered_pairs import make_pairs


class Backend:
    def calling(self, doing: str) -> Any:
        return nullcontext()


class Client:
    """Answers with the tokens themselves as logprobs, negative; what is not asked for is None."""

    def __init__(self, fails: Callable[[list[int]], bool] = lambda tokens: False) -> None:
        self.asked: list[list[int]] = []
        self.fails = fails

    async def compute_logprobs(self, prompt: tinker.ModelInput, *, prompt_logprobs_last_n: int) -> list[float | None]:
        tokens = prompt.to_ints()
        self.asked.append(tokens)
        await asyncio.sleep(0)
        if self.fails(tokens):
            raise ConnectionError("gone")
        unscored = len(tokens) - prompt_logprobs_last_n
        return [None] * unscored + [-float(token) for token in tokens[unscored:]]


class Sending:
    """A trainer that takes batches and answers nothing."""

    def submit_custom_step(self, batch: Any, loss: Any, *, learning_rate: float) -> PendingStep:
        return cast("PendingStep", None)


def make_reference(client: Client, pairs: PairRows) -> Reference:
    return Reference(cast("TinkerBackend", Backend()), cast("tinker.SamplingClient", client), pairs.rows)


async def test_a_score_is_the_sum_over_what_carries_loss_and_is_asked_once() -> None:
    client, pairs = Client(), make_pairs(3)
    reference = make_reference(client, pairs)
    assert await reference.scores([0, 1, 5]) == [-10.0, -20.0, -24.0]
    assert await reference.scores([5, 0]) == [-24.0, -10.0]
    assert client.asked == [[1, 1, 1, 10], [1, 1, 1, 10, 10], [1, 1, 1, 12, 12]]
    assert reference.take_tokens() == 4 + 5 + 5
    assert reference.take_tokens() == 0


async def test_an_answer_without_loss_is_not_asked_about() -> None:
    client, pairs = Client(), PairRows(Path("pairs.jsonl"), 3)
    side = ([1, 1, 1, 7], [False, False, False, True])
    pairs.add((side, side), 1)
    reference = make_reference(client, pairs)
    assert await reference.scores([0, 1]) == [0.0, 0.0]
    assert client.asked == []


async def test_a_failure_reaches_the_batch_that_needs_the_answer_and_no_other() -> None:
    client, pairs = Client(fails=lambda tokens: 12 in tokens), make_pairs(3)
    reference = make_reference(client, pairs)
    reference.ask(range(6))
    assert await reference.scores([0, 2]) == [-10.0, -11.0]
    with pytest.raises(ConnectionError):
        await reference.scores([4])
    await reference.aclose()


async def test_what_is_still_asked_when_a_run_ends_is_dropped() -> None:
    client, pairs = Client(), make_pairs(3)
    reference = make_reference(client, pairs)
    reference.ask(range(6))
    await reference.aclose()
    assert client.asked == []


async def test_the_reference_reads_ahead_within_the_epoch_and_not_past_the_last_step() -> None:
    client, pairs, order = Client(), make_pairs(9), BatchOrder(9, 2, seed=0)
    config = TrainingConfig(
        base_model="m", run_name="r", train_file=Path("t"), learning_rate=1e-3, num_steps=3, submit_ahead=0
    )
    reference = make_reference(client, pairs)
    data = PairData(order, pairs, None)
    batches = PairBatches(cast("Trainer", Sending()), data, reference, config, beta=0.1)
    sent = await batches.submit(DataCursor(epoch=0, batch=0), 1e-3)
    assert sent.values == {"num_pairs": 2}
    assert (sent.prefill_tokens, sent.forward_tokens) == (3 * 2 * (4 + 5), 2 * (3 + 4))
    sent = await batches.submit(DataCursor(epoch=0, batch=1), 1e-3)
    assert sent.prefill_tokens == 0
    await reference.scores(
        [row for batch in range(3) for row in pairs.sides(order.batch(DataCursor(epoch=0, batch=batch)))]
    )
    assert len(client.asked) == 12
    await reference.aclose()
