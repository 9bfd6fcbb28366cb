"""The Tinker client with every request that changes something passing a numbered side effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, cast

from tcao_tui.clients.tinker_port import (
    PendingStep,
    RemoteCheckpoint,
    Sampler,
    SavedWeights,
    StepResult,
    TinkerBackend,
    Trainer,
    Transient,
)
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BackendError
from tcao_tui.worker.side_effects import SideEffects

if TYPE_CHECKING:
    import tinker
    from tinker.lib.public_interfaces.api_future import APIFuture
    from tinker.types import LossFnType
    from transformers import PreTrainedTokenizerBase

    from tcao_tui.clients.tinker_port import CustomLoss


class NumberedBackend:
    """A `TinkerBackend` that counts, and that notes which resume points the server refuses to load.

    Args:
        inner: The client that does the work.
        effects: Numbered side effects.
        lost_paths: Gets the paths that cannot be loaded.
    """

    def __init__(self, inner: TinkerBackend, effects: SideEffects, lost_paths: set[str]) -> None:
        self._inner, self._effects, self._lost_paths = inner, effects, lost_paths

    @property
    def quote(self) -> PriceQuote:
        """Prices of the plan's base model here."""
        return self._inner.quote

    def quote_of(self, model: str) -> PriceQuote:
        """Prices of another model here."""
        return self._inner.quote_of(model)

    async def open_trainer(
        self,
        config: TrainingConfig,
        *,
        state_path: str | None,
        metadata: Mapping[str, str],
        with_optimizer: bool = True,
    ) -> Trainer:
        """Create a LoRA, or load one; one that cannot be resumed is `Transient`, since an older one may do."""
        try:
            with self._effects.point("remote.open_trainer"):
                trainer = await self._inner.open_trainer(
                    config, state_path=state_path, metadata=metadata, with_optimizer=with_optimizer
                )
        except Transient:
            raise
        except BackendError as error:
            if state_path is None or not with_optimizer:
                raise
            self._lost_paths.add(state_path)
            raise Transient(error.what, where=state_path, next_step=error.next_step) from error
        return NumberedTrainer(trainer, self._effects)

    async def sampling_client(
        self, *, base_model: str | None = None, model_path: str | None = None
    ) -> tinker.SamplingClient:
        """The SDK's own client of a base model or of sampler weights."""
        return await self._inner.sampling_client(base_model=base_model, model_path=model_path)

    def calling(self, doing: str) -> AbstractContextManager[None]:
        """Around code that awaits SDK clients itself."""
        return self._inner.calling(doing)

    async def checkpoints_of(self, run_id: str) -> Sequence[RemoteCheckpoint]:
        """Checkpoints on the server whose metadata names our run."""
        return await self._inner.checkpoints_of(run_id)

    async def delete(self, path: str) -> None:
        """Delete a checkpoint for good."""
        with self._effects.point("remote.delete"):
            await self._inner.delete(path)

    async def set_ttl(self, path: str, ttl_seconds: int | None) -> None:
        """Set or remove the expiry of a checkpoint."""
        with self._effects.point("remote.set_ttl"):
            await self._inner.set_ttl(path, ttl_seconds)

    async def close(self, outcome: Literal["success", "errored", "interrupted"], detail: str = "") -> None:
        """End the session and say how."""
        with self._effects.point("remote.close"):
            await self._inner.close(outcome, detail)


class NumberedTrainer:
    """A `Trainer` that counts; reading the weights changes nothing and is not counted."""

    def __init__(self, inner: Trainer, effects: SideEffects) -> None:
        self._inner, self._effects = inner, effects

    def submit_step(self, batch: Sequence[tinker.Datum], *, learning_rate: float) -> PendingStep:
        """Send one update."""
        with self._effects.point("remote.submit_step"):
            return self._inner.submit_step(batch, learning_rate=learning_rate)

    def submit_custom_step(
        self, batch: Sequence[tinker.Datum], loss: CustomLoss, *, learning_rate: float
    ) -> PendingStep:
        """Send one update with a loss of ours."""
        with self._effects.point("remote.submit_step"):
            return self._inner.submit_custom_step(batch, loss, learning_rate=learning_rate)

    @property
    def client(self) -> tinker.TrainingClient:
        """The SDK's own client; what it is told to change counts too."""
        return cast("tinker.TrainingClient", NumberedClient(self._inner.client, self._effects))

    async def nll(self, batch: Sequence[tinker.Datum]) -> StepResult:
        """Loss of rows that are not trained."""
        return await self._inner.nll(batch)

    async def sampler(self) -> Sampler:
        """A sampler of the present weights."""
        return await self._inner.sampler()

    async def save(self, name: str, *, ttl_seconds: int | None, metadata: Mapping[str, str]) -> SavedWeights:
        """Save weights and optimiser."""
        with self._effects.point("remote.save"):
            return await self._inner.save(name, ttl_seconds=ttl_seconds, metadata=metadata)

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's tokenizer."""
        return self._inner.tokenizer()


class NumberedClient:
    """The SDK's training client as a cookbook loop uses it: all of it, and its changes to the weights are counted."""

    def __init__(self, inner: tinker.TrainingClient, effects: SideEffects) -> None:
        self._inner, self._effects = inner, effects

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def forward_backward(
        self,
        data: list[tinker.Datum],
        loss_fn: LossFnType,
        loss_fn_config: dict[str, float | str] | None = None,
    ) -> APIFuture[tinker.ForwardBackwardOutput]:
        """Gradients of a batch."""
        with self._effects.point("remote.forward_backward"):
            return self._inner.forward_backward(data, loss_fn, loss_fn_config)

    def optim_step(self, adam_params: tinker.AdamParams) -> APIFuture[tinker.OptimStepResponse]:
        """One update."""
        with self._effects.point("remote.optim_step"):
            return self._inner.optim_step(adam_params)
