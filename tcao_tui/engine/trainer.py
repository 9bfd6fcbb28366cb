"""Gradients and optimiser steps of one training run.

Sequences are padded on the right to the longest of their batch and need no attention mask: causal attention never looks
at the padding, and padded positions carry no loss. Long inputs are split into batches by tokens; losses are sums, so
the split changes nothing but memory. Used from the compute thread only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tinker.types import AdamParams
from torch.nn import functional

from tcao_tui.engine.api_errors import WorkFailed
from tcao_tui.engine.losses import compute_loss
from tcao_tui.engine.models import Adapter, LoadedModel
from tcao_tui.engine.protocol import Array, RawDatum
from tcao_tui.engine.runs import Run

LOGIT_BYTES = 2**30
"""Memory that the logits of one batch and their gradient may take."""

MAX_BATCH_TOKENS = 2**16
"""Padded tokens of one batch, whatever the vocabulary."""

OPTIMIZER_KEYS = ("exp_avg", "exp_avg_sq", "step")
"""What AdamW keeps per parameter."""


@dataclass(frozen=True)
class ForwardResult:
    """Logprobs of the target tokens per datum, each of the shape of its `target_tokens`, and the summed loss."""

    logprobs: list[Array]
    loss_sum: float


@dataclass(frozen=True)
class _Batch:
    """Padded arrays: tokens (B, T), targets (B, T, K), inputs (B, T, K)."""

    data: list[RawDatum]
    tokens: torch.Tensor
    targets: torch.Tensor
    inputs: dict[str, torch.Tensor]


class TrainingModel:
    """A run whose weights are in memory: an adapter, its gradients and its Adam state.

    Args:
        run: What it is.
        model: The base model.
        adapter: Its own adapter slot.
    """

    def __init__(self, run: Run, model: LoadedModel, adapter: Adapter) -> None:
        self.run = run
        self.model = model
        self.adapter = adapter
        self._optimizer = torch.optim.AdamW(adapter.parameters.values(), fused=model.device.type == "cpu" or None)

    def forward(
        self, data: Sequence[RawDatum], loss_fn: str, config: Mapping[str, float | str], *, backward: bool
    ) -> ForwardResult:
        """Compute logprobs and the loss, and with `backward` add the gradients to those already there.

        Raises:
            WorkFailed: A datum is malformed.
        """
        checked = [_checked(datum, self.model, number) for number, datum in enumerate(data)]
        logprobs: list[Array] = []
        loss_sum = 0.0
        with self.model.using(self.adapter) as module, torch.set_grad_enabled(backward):
            for batch in _batches(checked, self.model):
                logits = module(input_ids=batch.tokens, use_cache=False).logits.float()
                found = _target_logprobs(logits, batch.targets)
                loss = compute_loss(loss_fn, found, batch.inputs, config)
                if backward:
                    loss.backward()
                loss_sum += float(loss.detach())
                logprobs += _unpadded(found.detach(), batch.data)
        return ForwardResult(logprobs, loss_sum)

    def optim_step(self, params: AdamParams) -> dict[str, float]:
        """One AdamW step on the gathered gradients, which are cleared. Returns metrics."""
        group = self._optimizer.param_groups[0]
        group["lr"] = params.learning_rate
        group["betas"] = (params.beta1, params.beta2)
        group["eps"] = params.eps
        group["weight_decay"] = params.weight_decay
        weights = [weight for weight in self.adapter.parameters.values() if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
        if params.grad_clip_norm > 0:
            torch.nn.utils.clip_grads_with_norm_(weights, params.grad_clip_norm, norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return {"unclipped_grad_l2:mean": float(norm)}

    def save_optimizer(self, path: Path) -> None:
        """Write Adam's state; parameters that were never stepped have none."""
        state = {
            f"{name}.{key}": self._optimizer.state[parameter][key].detach().cpu().contiguous()
            for name, parameter in self.adapter.parameters.items()
            if parameter in self._optimizer.state
            for key in OPTIMIZER_KEYS
        }
        save_file(state, path)

    def load(self, folder: Path, *, optimizer: bool) -> None:
        """Take over a checkpoint's weights, and its Adam state or a fresh one.

        Raises:
            WorkFailed: The checkpoint is of another shape or has no Adam state.
        """
        self.adapter.load(folder / "adapter_model.safetensors")
        self._optimizer.state.clear()
        for parameter in self.adapter.parameters.values():
            parameter.grad = None
        if not optimizer:
            return
        path = folder / "optimizer.safetensors"
        if not path.exists():
            raise WorkFailed("this checkpoint has no optimizer state: it is not a training checkpoint")
        saved = load_file(path)
        for name, parameter in self.adapter.parameters.items():
            if f"{name}.step" in saved:
                state = {key: saved[f"{name}.{key}"].to(self.model.device) for key in OPTIMIZER_KEYS}
                self._optimizer.state[parameter] = state


def _checked(datum: RawDatum, model: LoadedModel, number: int) -> RawDatum:
    """The datum with all inputs in the shape (T, K).

    Raises:
        WorkFailed: With the datum's number, if it cannot be trained on.
    """
    targets = datum.inputs.get("target_tokens")
    length = len(datum.tokens)
    if targets is None or not length:
        raise WorkFailed(f"datum {number}: needs input tokens and target_tokens")
    if length > model.source.context_tokens:
        raise WorkFailed(f"datum {number}: {length} tokens, the model takes {model.source.context_tokens}")
    inputs: dict[str, Array] = {}
    for name, given in datum.inputs.items():
        if given.shape != targets.shape or given.shape[0] != length or given.ndim > 2:
            raise WorkFailed(
                f"datum {number}: {name} has shape {given.shape}, target_tokens {targets.shape}, T={length}"
            )
        inputs[name] = given.reshape(length, -1)
    for name, ids in (("model_input", datum.tokens), ("target_tokens", targets)):
        if ids.min() < 0 or ids.max() >= model.vocabulary:
            raise WorkFailed(f"datum {number}: {name} has ids outside the vocabulary of {model.vocabulary}")
    return RawDatum(datum.tokens, inputs)


def _batches(data: list[RawDatum], model: LoadedModel) -> Iterator[_Batch]:
    limit = min(MAX_BATCH_TOKENS, LOGIT_BYTES // (12 * model.vocabulary))
    batch: list[RawDatum] = []
    longest = 0
    for datum in data:
        longer = max(longest, len(datum.tokens))
        alike = not batch or _layout(datum) == _layout(batch[0])
        if batch and (not alike or longer * (len(batch) + 1) > limit):
            yield _padded(batch, model.device)
            batch, longer = [], len(datum.tokens)
        batch.append(datum)
        longest = longer
    if batch:
        yield _padded(batch, model.device)


def _layout(datum: RawDatum) -> tuple[frozenset[str], int]:
    return frozenset(datum.inputs), datum.inputs["target_tokens"].shape[1]


def _padded(data: list[RawDatum], device: torch.device) -> _Batch:
    longest = max(len(datum.tokens) for datum in data)
    names, width = _layout(data[0])
    tokens = np.zeros((len(data), longest), np.int64)
    inputs = {
        name: np.zeros((len(data), longest, width), np.int64 if name == "target_tokens" else np.float32)
        for name in names
    }
    for row, datum in enumerate(data):
        length = len(datum.tokens)
        tokens[row, :length] = datum.tokens
        for name, padded in inputs.items():
            padded[row, :length] = datum.inputs[name]
    tensors = {name: torch.from_numpy(padded).to(device) for name, padded in inputs.items()}
    targets = tensors.pop("target_tokens")
    if "weights" not in tensors and "logprobs" not in tensors:
        lengths = torch.tensor([len(datum.tokens) for datum in data], device=device)
        inside = torch.arange(longest, device=device)[None, :] < lengths[:, None]
        tensors["weights"] = inside[:, :, None].expand(targets.shape).float()
    return _Batch(data, torch.from_numpy(tokens).to(device), targets, tensors)


def _target_logprobs(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Logprobs of targets (B, T, K) under logits (B, T, V)."""
    if targets.shape[-1] == 1:
        losses = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        return -losses.view(targets.shape)
    return logits.log_softmax(-1).gather(-1, targets)


def _unpadded(logprobs: torch.Tensor, data: list[RawDatum]) -> list[Array]:
    """Rows (T, K) of a batch as arrays of the true length; a width of one is dropped."""
    rows = logprobs.cpu().numpy()
    if rows.shape[-1] == 1:
        rows = rows[..., 0]
    return [rows[number, : len(datum.tokens)] for number, datum in enumerate(data)]
