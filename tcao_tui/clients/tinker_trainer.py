"""Training and sampling through the Tinker SDK: steps submitted ahead, saves, snapshots.

No timeout and no retry of ours stands on this path; what the SDK gives up on becomes `Transient` or `BackendError`.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tinker
from tinker.lib.public_interfaces.api_future import APIFuture
from tinker.types import SaveWeightsForSamplerResponse, SaveWeightsResponse

from tcao_tui.clients.tinker_errors import SDK_ERRORS, chain, translate
from tcao_tui.clients.tinker_port import SavedWeights, StepResult
from tcao_tui.clients.tinker_rest import SdkCheckpoints
from tcao_tui.clients.tinker_waiting import WaitWatch
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import TcaoError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from tcao_tui.clients.tinker_port import CustomLoss

_QUEUE_OBSERVER = "_queue_state_logger"
"""Private attribute of SDK 0.38's TrainingClient: the observer that each request is given."""

_ALREADY_THERE = ("already exists", "conflict")


@contextlib.contextmanager
def translated(watch: WaitWatch, doing: str) -> Generator[None]:
    """Mark a wait for the server, and turn what the SDK raises into our errors."""
    with watch.pending():
        try:
            yield
        except SDK_ERRORS as error:
            raise translate(error, doing) from error


def adam_params(config: TrainingConfig, learning_rate: float) -> tinker.AdamParams:
    """Adam as the plan has it, at this learning rate."""
    return tinker.AdamParams(
        learning_rate=learning_rate,
        beta1=config.adam_beta1,
        beta2=config.adam_beta2,
        eps=config.adam_eps,
        weight_decay=config.weight_decay,
        grad_clip_norm=config.grad_clip_norm,
    )


def weighted_loss(
    logprobs: Sequence[Mapping[str, tinker.TensorData]], batch: Sequence[tinker.Datum]
) -> tuple[float, float]:
    """Negative log-likelihood (nats) and weight of a batch, each summed over its rows; the cookbook's arithmetic."""
    loss_sum = weight_sum = 0.0
    for output, datum in zip(logprobs, batch, strict=True):
        weights = datum.loss_fn_inputs["weights"].to_numpy()
        loss_sum -= float(np.dot(output["logprobs"].to_numpy(), weights))
        weight_sum += float(weights.sum())
    return loss_sum, weight_sum


def _result(output: tinker.ForwardBackwardOutput, batch: Sequence[tinker.Datum]) -> StepResult:
    loss_sum, weight_sum = weighted_loss(output.loss_fn_outputs, batch)
    tokens = sum(datum.model_input.length for datum in batch)
    return StepResult(loss_sum, weight_sum, tokens, dict(output.metrics))


class SdkStep:
    """Forward, backward and optimiser under way."""

    def __init__(
        self,
        forward: APIFuture[tinker.ForwardBackwardOutput],
        optimise: APIFuture[tinker.OptimStepResponse],
        batch: Sequence[tinker.Datum],
        watch: WaitWatch,
    ) -> None:
        self._forward = forward
        self._optimise = optimise
        self._batch = batch
        self._watch = watch

    async def result(self) -> StepResult:
        """Wait for both. Raises `Transient` or `BackendError`."""
        with translated(self._watch, "training step"):
            output = await self._forward
            optimised = await self._optimise
            result = _result(output, self._batch)
        return StepResult(
            result.loss_sum,
            result.loss_tokens,
            result.tokens,
            {**result.metrics, **(optimised.metrics or {})},
        )


class SdkCustomStep(SdkStep):
    """The same with a loss of ours."""

    async def result(self) -> StepResult:
        """Wait for both. Raises `Transient` or `BackendError`."""
        with translated(self._watch, "training step"):
            output = await self._forward
            optimised = await self._optimise
        metrics = {**output.metrics, **(optimised.metrics or {})}
        tokens = sum(datum.model_input.length for datum in self._batch)
        return StepResult(metrics.get("loss:sum", math.nan), 1.0, tokens, metrics)


class SdkSampler:
    """Fixed weights that can be sampled."""

    def __init__(self, client: tinker.SamplingClient, watch: WaitWatch) -> None:
        self._client = client
        self._watch = watch

    async def sample(
        self, prompt: tinker.ModelInput, *, max_tokens: int, stop: Sequence[str] | Sequence[int], seed: int
    ) -> Sequence[int]:
        """Greedy continuation of `prompt`; returns token ids."""
        parameters = tinker.SamplingParams(max_tokens=max_tokens, seed=seed, stop=stop, temperature=0.0)
        with translated(self._watch, "sampling"):
            answer = await self._client.sample(prompt, 1, parameters)
            return answer.sequences[0].tokens


class SdkTrainer:
    """One LoRA in training on the server.

    Args:
        client: The SDK's training client.
        config: Adam's hyperparameters are taken from it.
        watch: Told of waits.
        checkpoints: Listing of the server, to find an earlier save whose reply was lost.
    """

    def __init__(
        self,
        client: tinker.TrainingClient,
        config: TrainingConfig,
        watch: WaitWatch,
        checkpoints: SdkCheckpoints,
    ) -> None:
        self._client = client
        self._config = config
        self._watch = watch
        self._checkpoints = checkpoints
        setattr(client, _QUEUE_OBSERVER, watch)

    @property
    def client(self) -> tinker.TrainingClient:
        """The SDK's own client."""
        return self._client

    def submit_step(self, batch: Sequence[tinker.Datum], *, learning_rate: float) -> SdkStep:
        """Send forward_backward and optim_step back to back, without waiting."""
        forward = self._client.forward_backward(list(batch), "cross_entropy")
        return SdkStep(forward, self._client.optim_step(adam_params(self._config, learning_rate)), batch, self._watch)

    def submit_custom_step(
        self, batch: Sequence[tinker.Datum], loss: CustomLoss, *, learning_rate: float
    ) -> SdkCustomStep:
        """The same with a loss of ours over the logprobs, which the SDK evaluates on a thread of its own."""
        forward = self._client.forward_backward_custom(list(batch), loss)
        return SdkCustomStep(
            forward, self._client.optim_step(adam_params(self._config, learning_rate)), batch, self._watch
        )

    async def nll(self, batch: Sequence[tinker.Datum]) -> StepResult:
        """Loss of the present weights on rows that are not trained."""
        with translated(self._watch, "validation"):
            return _result(await self._client.forward(list(batch), "cross_entropy"), batch)

    async def sampler(self) -> SdkSampler:
        """A sampler of the present weights; they are not kept on the server."""
        with translated(self._watch, "opening a sampler"):
            return SdkSampler(await self._client.save_weights_and_get_sampling_client(), self._watch)

    async def save(self, name: str, *, ttl_seconds: int | None, metadata: Mapping[str, str]) -> SavedWeights:
        """Save weights and optimiser, and the same weights for sampling, under a name never used before.

        A refusal because the name is taken counts as success only when the server lists a checkpoint of this very
        training run with the same metadata: then an earlier save arrived and its reply was lost.
        """
        notes = dict(metadata)
        state = self._client.save_state(name, ttl_seconds=ttl_seconds, user_metadata=notes)
        weights = self._client.save_weights_for_sampler(name, ttl_seconds=ttl_seconds, user_metadata=notes)
        doing = f"saving checkpoint {name}"
        with self._watch.pending():
            state_path = await self._path(state, doing, name, "training", metadata)
            if isinstance(state_path, TcaoError):
                # The server may wait for the refused request before it does the second one, and so would we, for good.
                raise state_path
            sampler_path = await self._path(weights, doing, name, "sampler", metadata)
        if isinstance(sampler_path, TcaoError):
            raise sampler_path
        return SavedWeights(state_path, sampler_path)

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's Hugging Face tokenizer."""
        with translated(self._watch, "loading the tokenizer"):
            return self._client.get_tokenizer()

    async def _path(
        self,
        saved: APIFuture[SaveWeightsResponse] | APIFuture[SaveWeightsForSamplerResponse],
        doing: str,
        name: str,
        kind: str,
        metadata: Mapping[str, str],
    ) -> str | TcaoError:
        try:
            return (await saved).path
        except SDK_ERRORS as error:
            problem = translate(error, doing)
            problem.__cause__ = error
            if not _name_is_taken(error):
                return problem
        try:
            return await self._checkpoints.find(self._client.model_id, name, kind, metadata) or problem
        except TcaoError:
            return problem


def _name_is_taken(error: BaseException) -> bool:
    for cause in chain(error):
        if isinstance(cause, tinker.ConflictError):
            return True
        if isinstance(cause, tinker.RequestFailedError):
            return any(word in str(cause).lower() for word in _ALREADY_THERE)
    return False
