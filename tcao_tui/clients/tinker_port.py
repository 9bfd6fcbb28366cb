"""What we ask of a server that speaks the Tinker API, in our own words. `tinker_sdk` is the real thing.

Follows the SDK's grain: requests are submitted ahead and awaited later, nothing here adds a timeout or a retry to the
training path, and every REST feature may be missing on a backend (`Unsupported`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from tcao_tui.domain.plan import PriceQuote
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BackendError

if TYPE_CHECKING:
    import tinker
    import torch
    from transformers import PreTrainedTokenizerBase

    type CustomLoss = Callable[[list[tinker.Datum], list[torch.Tensor]], tuple[torch.Tensor, dict[str, float]]]
    """Datums and their logprobs (one per target token) to a loss and its metrics."""


class Unsupported(BackendError):
    """This backend does not offer that feature."""

    title = "Not offered by this backend"


class Transient(BackendError):
    """Outage, capacity or a lost session: going on from the last checkpoint may work."""

    title = "Backend unavailable"


class Outage(Transient):
    """The server is out, overloaded or limits our rate: nothing is wrong with the request, and waiting helps."""


@dataclass(frozen=True, slots=True)
class SavedWeights:
    """What a server answered to a save: `tinker://` paths, one for resuming and one for sampling."""

    state_path: str
    sampler_path: str | None


@dataclass(frozen=True, slots=True)
class RemoteCheckpoint:
    """A checkpoint as the server lists it; `expires_at` is Unix seconds, None when kept."""

    path: str
    name: str
    kind: Literal["training", "sampler", "external"]
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    expires_at: float | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a training step answered.

    Attributes:
        loss_sum: Weighted negative log-likelihood summed over the batch, nats.
        loss_tokens: Sum of the loss weights.
        tokens: All tokens of the batch, the unit of billing.
        metrics: Further numbers of the server and the optimiser.
    """

    loss_sum: float
    loss_tokens: float
    tokens: int
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])


class PendingStep(Protocol):
    """A step that was submitted and is not awaited yet."""

    async def result(self) -> StepResult:
        """Wait for forward, backward and the optimiser. Raises `Transient` or `BackendError`."""
        ...


class Trainer(Protocol):
    """One LoRA in training on the server."""

    def submit_step(self, batch: Sequence[tinker.Datum], *, learning_rate: float) -> PendingStep:
        """Send forward_backward and optim_step back to back, without waiting."""
        ...

    def submit_custom_step(
        self, batch: Sequence[tinker.Datum], loss: CustomLoss, *, learning_rate: float
    ) -> PendingStep:
        """The same with a loss of ours over the logprobs; `loss_sum` of the result is that loss."""
        ...

    @property
    def client(self) -> tinker.TrainingClient:
        """The SDK's own client, for the cookbook's loops; await it inside `TinkerBackend.calling`."""
        ...

    async def nll(self, batch: Sequence[tinker.Datum]) -> StepResult:
        """Loss of the present weights on rows that are not trained."""
        ...

    async def sampler(self) -> Sampler:
        """A sampler of the present weights; they are not kept on the server."""
        ...

    async def save(self, name: str, *, ttl_seconds: int | None, metadata: Mapping[str, str]) -> SavedWeights:
        """Save weights and optimiser, and the same weights for sampling, under a name never used before.

        Args:
            name: One path segment.
            ttl_seconds: Life on the server, seconds; None keeps it.
            metadata: Text pairs that the server keeps with the checkpoint.
        """
        ...

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's Hugging Face tokenizer."""
        ...


class Sampler(Protocol):
    """Fixed weights that can be sampled."""

    async def sample(
        self, prompt: tinker.ModelInput, *, max_tokens: int, stop: Sequence[str] | Sequence[int], seed: int
    ) -> Sequence[int]:
        """Greedy continuation of `prompt`; returns token ids."""
        ...


class TinkerBackend(Protocol):
    """One connection of one attempt: a session with a heartbeat, ended by `close`."""

    @property
    def quote(self) -> PriceQuote:
        """Prices of the plan's base model here."""
        ...

    def quote_of(self, model: str) -> PriceQuote:
        """Prices of another model here, such as a teacher's; unknown ones are None."""
        ...

    async def open_trainer(
        self,
        config: TrainingConfig,
        *,
        state_path: str | None,
        metadata: Mapping[str, str],
        with_optimizer: bool = True,
    ) -> Trainer:
        """Create a LoRA, or load weights, and the optimiser unless `with_optimizer` is false, from `state_path`."""
        ...

    async def sampling_client(
        self, *, base_model: str | None = None, model_path: str | None = None
    ) -> tinker.SamplingClient:
        """The SDK's own client of a base model or of sampler weights: references, teachers, preference models."""
        ...

    def calling(self, doing: str) -> AbstractContextManager[None]:
        """Around code that awaits SDK clients itself: waits are told, and its errors become ours.

        Args:
            doing: What is attempted, such as "sampling a batch".
        """
        ...

    async def checkpoints_of(self, run_id: str) -> Sequence[RemoteCheckpoint]:
        """Checkpoints on the server whose metadata names our run. Raises `Unsupported`."""
        ...

    async def delete(self, path: str) -> None:
        """Delete a checkpoint for good."""
        ...

    async def set_ttl(self, path: str, ttl_seconds: int | None) -> None:
        """Set or remove the expiry of a checkpoint."""
        ...

    async def close(self, outcome: Literal["success", "errored", "interrupted"], detail: str = "") -> None:
        """End the session and say how."""
        ...
