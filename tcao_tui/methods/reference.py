"""What fixed reference weights think of each answer: asked once, ahead of the batch that needs it, and remembered."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Iterable

import numpy as np
import tinker

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer, Transient
from tcao_tui.errors import BackendError
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.token_rows import TokenRows

_REQUESTS_AT_ONCE = 64


async def open_reference(context: RunContext, trainer: Trainer) -> tinker.SamplingClient:
    """A sampler of the weights that answers are compared with; the same ones in every attempt of a run.

    A LoRA starts as the identity, so where training starts from no other weights, the base model is its start. Else a
    new run takes a snapshot of its own weights before the first update; a resumed one has moved on from there, so it
    loads the state that the run started from beside its own. That costs no training and keeps no further checkpoint.

    Raises:
        BackendError: The server refuses, or the weights that the run started from are gone.
    """
    backend, config = context.backend, context.plan.training
    start = context.start_path
    if start is None or (context.plan.dpo is not None and context.plan.dpo.reference == "base"):
        return await backend.sampling_client(base_model=config.base_model)
    if context.resume_point is not None:
        notes = {"run_name": config.run_name, "method": context.plan.method, "role": "reference"}
        try:
            trainer = await backend.open_trainer(config, state_path=start, metadata=notes, with_optimizer=False)
        except Transient:
            raise
        except BackendError as error:
            raise BackendError(
                f"the weights that the run started from are its reference, and cannot be loaded: {error.what}",
                where=start,
                next_step="launch the plan anew from other weights",
            ) from error
    with backend.calling("taking a snapshot of the reference model"):
        return await trainer.client.save_weights_and_get_sampling_client()


class Reference:
    """Summed logprobs of rows under the reference weights; `aclose` ends what is still asked.

    Args:
        backend: Tells of waits.
        client: Sampler of the reference weights.
        rows: What is asked about.
    """

    def __init__(self, backend: TinkerBackend, client: tinker.SamplingClient, rows: TokenRows) -> None:
        self._backend, self._client, self._rows = backend, client, rows
        self._known = array("d", [math.nan]) * len(rows)
        self._asked: dict[int, asyncio.Task[None]] = {}
        self._free = asyncio.Semaphore(_REQUESTS_AT_ONCE)
        self._tokens = 0

    def ask(self, rows: Iterable[int]) -> None:
        """Ask about rows that are neither known nor asked about."""
        for row in rows:
            if math.isnan(self._known[row]) and row not in self._asked:
                [datum] = self._rows.data([row])
                if not datum.loss_fn_inputs["weights"].to_numpy().any():
                    self._known[row] = 0.0
                    continue
                self._tokens += datum.model_input.length + 1
                self._asked[row] = asyncio.create_task(self._find(row, datum))

    async def scores(self, rows: Iterable[int]) -> list[float]:
        """Summed logprobs of what carries loss in each of these rows, nats.

        Raises:
            Transient: The server was lost.
            BackendError: The server refuses.
        """
        wanted = list(rows)
        self.ask(wanted)
        await asyncio.gather(*(self._asked[row] for row in wanted if row in self._asked))
        return [self._known[row] for row in wanted]

    def take_tokens(self) -> int:
        """Tokens that were sent since this was last called."""
        tokens, self._tokens = self._tokens, 0
        return tokens

    async def aclose(self) -> None:
        """Drop what is still asked."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _find(self, row: int, datum: tinker.Datum) -> None:
        weights = datum.loss_fn_inputs["weights"].to_numpy()
        # Only what carries loss is scored, so that a server may read the shared prompt of a pair from its cache.
        counted = weights[int(weights.argmax()) :]
        whole = datum.model_input.append_int(int(datum.loss_fn_inputs["target_tokens"].to_numpy()[-1]))
        async with self._free:
            with self._backend.calling("asking the reference model"):
                found = await self._client.compute_logprobs(whole, prompt_logprobs_last_n=len(counted))
        self._known[row] = float(np.dot(np.asarray(found[-len(counted) :], np.float64), counted))
        del self._asked[row]
