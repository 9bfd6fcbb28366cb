"""The training client as a loop of the cookbook sees it.

Adam is the plan's and not the loop's own. Weights are exported once per update, however often the loop asks. Nothing
is saved under a name: a checkpoint is the business of our protocol.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import tinker
from tinker.types import SaveWeightsForSamplerResponse, SaveWeightsResponse

from tcao_tui.clients.tinker_trainer import adam_params
from tcao_tui.domain.schedule import eval_every_at, learning_rate_at
from tcao_tui.methods.port import RunContext

if TYPE_CHECKING:
    from tinker.lib.public_interfaces.api_future import APIFuture
    from tinker.types import LossFnType

_NOT_SAVED = "tinker://not-saved"


class LoopLeft(Exception):
    """The loop was asked to end: all that it submitted before is applied and recorded."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the loop calls `result` of."""

    client: tinker.SamplingClient

    def result(self) -> tinker.SamplingClient:
        return self.client


class LoopClient:
    """One LoRA in the hands of a loop.

    Args:
        context: The worker.
        client: The SDK's client.
        step: Updates already applied.

    Attributes:
        step: Updates applied and recorded.
        learning_rate: Of the latest update.
        updating: Something of update `step + 1` was submitted.
        leaving: The next update must not begin: `LoopLeft` ends the loop in its place.
    """

    def __init__(self, context: RunContext, client: tinker.TrainingClient, step: int) -> None:
        self._context, self._client = context, client
        self._sampler: tinker.SamplingClient | None = None
        self._eval_every = context.plan.training.eval_every
        self.step = step
        self.learning_rate = math.nan
        self.updating = False
        self.leaving = False

    @property
    def as_training_client(self) -> tinker.TrainingClient:
        """This object for the loops, which ask for the SDK's class and use what is here."""
        return cast("tinker.TrainingClient", self)

    def enter(self) -> None:
        """A segment begins, which ends where evals are due by the cadence of its first update."""
        self.leaving = False
        first = self.step + 1
        self._eval_every = eval_every_at(self._context.plan.training, first, self._context.settings_from(first))

    def recorded(self) -> int:
        """Everything of the present update is applied and recorded; returns the updates so far."""
        self.updating = False
        self.step += 1
        return self.step

    def forward_backward(
        self, data: list[tinker.Datum], loss_fn: LossFnType, loss_fn_config: dict[str, float] | None = None
    ) -> APIFuture[tinker.ForwardBackwardOutput]:
        """Submit a batch; the first of an update settles its learning rate. Raises `LoopLeft`."""
        if not self.updating:
            self._begin()
        return self._client.forward_backward(data, loss_fn, loss_fn_config)

    def optim_step(self, adam: tinker.AdamParams) -> APIFuture[tinker.OptimStepResponse]:
        """Submit an optimiser step with the plan's settings in place of `adam`."""
        self._sampler = None
        return self._client.optim_step(adam_params(self._context.plan.training, self.learning_rate))

    async def save_weights_and_get_sampling_client(
        self, *, record_stability_info: bool = False
    ) -> tinker.SamplingClient:
        """A sampler of the present weights; the same one until they change."""
        if self._sampler is None:
            self._sampler = await self._client.save_weights_and_get_sampling_client(
                record_stability_info=record_stability_info
            )
        return self._sampler

    async def save_state(self, name: str, ttl_seconds: int | None = None) -> SaveWeightsResponse:
        """Save nothing."""
        return SaveWeightsResponse(path=f"{_NOT_SAVED}/{name}")

    async def save_weights_for_sampler(
        self, name: str, ttl_seconds: int | None = None
    ) -> SaveWeightsForSamplerResponse:
        """Export the present weights without keeping them, for `create_sampling_client`."""
        await self.save_weights_and_get_sampling_client()
        return SaveWeightsForSamplerResponse(path=f"{_NOT_SAVED}/{name}")

    def create_sampling_client(self, model_path: str, *, record_stability_info: bool = False) -> _Opened:
        """The sampler that `save_weights_for_sampler` has opened."""
        assert self._sampler is not None
        return _Opened(self._sampler)

    def _begin(self) -> None:
        if self.leaving:
            raise LoopLeft
        update, config = self.step + 1, self._context.plan.training
        settings = self._context.settings_from(update)
        self.learning_rate = learning_rate_at(config, update, settings)
        # With another cadence evals are due elsewhere than at the segment's end, so this update is its last.
        self.leaving = eval_every_at(config, update, settings) != self._eval_every
        self.updating = True
