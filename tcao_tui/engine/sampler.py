"""Answering sample requests: prompt scoring and batched generation with a key-value cache.

Requests for the same weights are generated together, each row with its own settings and its own random stream, so the
answer to a seeded request does not depend on what else is in the batch. Logprobs are those of the model itself
(temperature 1, no top-k or top-p). Used from the compute thread only. Out of scope: queues (`compute.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from tinker.types import SampleRequest
from torch import nn
from transformers import DynamicCache

from tcao_tui.engine.api_errors import WorkFailed
from tcao_tui.engine.models import Adapter, LoadedModel
from tcao_tui.engine.prompt_scores import check_questions, score_prompt
from tcao_tui.engine.protocol import Array, SampledRow, SampleOutput, prompt_tokens
from tcao_tui.engine.row_settings import RowSettings, check_params, pick_tokens

PREFILL_TOKENS = 2**16
"""Padded prompt tokens of one forward pass."""

PREFILL_LOGIT_BYTES = 2**30
"""Memory that the logits of scored prompts may take in one forward pass."""

COMPACT_BELOW = 0.5
"""Share of unfinished rows below which the finished ones are dropped from the batch."""


@dataclass(frozen=True, eq=False)
class SampleCall:
    """One sample request, with a seed even if the client gave none."""

    request: SampleRequest
    seed: int

    @property
    def num_samples(self) -> int:
        """How many sequences are wanted."""
        return self.request.num_samples

    @property
    def scores_prompt(self) -> bool:
        """Whether logits of the whole prompt are needed."""
        asked = self.request
        return bool(
            asked.prompt_logprobs
            or asked.topk_prompt_logprobs
            or asked.target_prompt_logprobs
            or asked.prompt_alt_tokens_k
        )


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A request that was found valid: its prompt, shape (N,), and how many tokens may follow."""

    call: SampleCall
    prompt: Array
    max_tokens: int


def answer(model: LoadedModel, adapter: Adapter | None, calls: Sequence[SampleCall]) -> list[SampleOutput | WorkFailed]:
    """Answer requests for the same weights.

    Args:
        model: The base model.
        adapter: Weights on top of it, or None.
        calls: The requests.

    Returns:
        An output, or why there is none, per request and in the same order.
    """
    answers: dict[int, SampleOutput | WorkFailed] = {}
    ready: list[tuple[int, _Prepared]] = []
    for number, call in enumerate(calls):
        try:
            ready.append((number, _prepare(model, call)))
        except WorkFailed as error:
            answers[number] = error
    with torch.no_grad(), model.using(adapter) as module:
        for group in _groups(ready, model.vocabulary):
            outputs = _answer_group(model, module, [prepared for _, prepared in group])
            answers.update(zip((number for number, _ in group), outputs, strict=True))
    return [answers[number] for number in range(len(calls))]


def _prepare(model: LoadedModel, call: SampleCall) -> _Prepared:
    prompt = prompt_tokens(call.request)
    if prompt.min() < 0 or prompt.max() >= model.vocabulary:
        raise WorkFailed(f"the prompt has ids outside the vocabulary of {model.vocabulary}")
    room = model.source.context_tokens - len(prompt)
    asked = call.request.sampling_params.max_tokens
    if room < 1 or (asked is not None and asked > room):
        raise WorkFailed(
            f"prompt ({len(prompt)} tokens) and max_tokens ({asked}) exceed the context of "
            f"{model.source.context_tokens} tokens"
        )
    if call.num_samples < 1 or (asked is not None and asked < 0):
        raise WorkFailed("num_samples must be at least 1 and max_tokens at least 0")
    check_params(call.request.sampling_params)
    check_questions(call.request, len(prompt), model.vocabulary)
    return _Prepared(call, prompt, room if asked is None else asked)


def _groups(ready: list[tuple[int, _Prepared]], vocabulary: int) -> Iterator[list[tuple[int, _Prepared]]]:
    """Requests of similar length together, as many as fit into memory."""
    group: list[tuple[int, _Prepared]] = []
    for item in sorted(ready, key=lambda pair: len(pair[1].prompt)):
        tokens = len(item[1].prompt) * (len(group) + 1)
        scored = any(prepared.call.scores_prompt for _, prepared in [*group, item])
        limit = min(PREFILL_TOKENS, PREFILL_LOGIT_BYTES // (8 * vocabulary)) if scored else PREFILL_TOKENS
        if group and tokens > limit:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _answer_group(model: LoadedModel, module: nn.Module, group: list[_Prepared]) -> list[SampleOutput]:
    longest = max(len(prepared.prompt) for prepared in group)
    tokens = np.zeros((len(group), longest), np.int64)
    mask = np.zeros((len(group), longest), np.int64)
    for row, prepared in enumerate(group):
        tokens[row, longest - len(prepared.prompt) :] = prepared.prompt
        mask[row, longest - len(prepared.prompt) :] = 1
    state = _Decoder(model, module, torch.from_numpy(mask).to(model.device))
    scored = any(prepared.call.scores_prompt for prepared in group)
    logits = state.feed(torch.from_numpy(tokens).to(model.device), keep_logits=0 if scored else 1)
    outputs = [SampleOutput() for _ in group]
    for row, (prepared, output) in enumerate(zip(group, outputs, strict=True)):
        if prepared.call.scores_prompt:
            own = logits[row, longest - len(prepared.prompt) :]
            score_prompt(output, own, prepared.prompt, prepared.call.request, prepared.call.seed)
    owners = np.repeat(np.arange(len(group)), [prepared.call.num_samples for prepared in group])
    settings = RowSettings.of(
        [(prepared.call.request.sampling_params, prepared.call.seed, prepared.max_tokens) for prepared in group],
        [prepared.call.num_samples for prepared in group],
        model,
    )
    if len(owners) > len(group):
        state.select(torch.from_numpy(owners).to(model.device))
    last = logits[:, -1].float()[torch.from_numpy(owners).to(model.device)]
    widest = max(prepared.call.request.topk_sample_logprobs for prepared in group)
    rows = _generate(state, settings, last, widest)
    for owner, row in zip(owners, rows, strict=True):
        wanted = group[owner].call.request.topk_sample_logprobs
        top = None if row.top is None or not wanted else (row.top[0][:, :wanted], row.top[1][:, :wanted])
        outputs[owner].sequences.append(SampledRow(row.tokens, row.logprobs, row.stopped, top))
    return outputs


class _Decoder:
    """A running forward pass: cache, attention mask and positions of the rows in the batch."""

    def __init__(self, model: LoadedModel, module: nn.Module, mask: torch.Tensor) -> None:
        self.device = model.device
        self._module = module
        self._cache = DynamicCache(config=cast(Any, module.config))
        self._mask = mask
        # Without padding no mask is needed, and attention takes its fast path.
        self._padded = not bool(mask.all())
        self._fed = 0

    def feed(self, tokens: torch.Tensor, *, keep_logits: int) -> torch.Tensor:
        """Logits (B, n, V) after feeding tokens (B, T); `keep_logits` counts positions from the end, 0 means all."""
        if self._fed:
            self._mask = torch.cat([self._mask, torch.ones_like(tokens)], 1)
        self._fed += tokens.shape[1]
        placed: dict[str, Any] = {}
        if self._padded:
            positions = (self._mask.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
            placed = {"attention_mask": self._mask, "position_ids": positions}
        output = self._module(
            input_ids=tokens, past_key_values=self._cache, use_cache=True, logits_to_keep=keep_logits, **placed
        )
        return output.logits

    def select(self, rows: torch.Tensor) -> None:
        """Keep (or repeat) these rows of the batch."""
        self._cache.batch_select_indices(rows)
        self._mask = self._mask[rows]


def _generate(state: _Decoder, settings: RowSettings, logits: torch.Tensor, widest_top: int) -> list[SampledRow]:
    """Generate all rows from their first logits (R, V) to their ends."""
    total = len(settings.max_tokens)
    rows = np.arange(total)
    drawn: list[list[Any]] = [[] for _ in range(4)]
    lengths = np.zeros(total, np.int64)
    stopped = np.zeros(total, bool)
    unfinished = settings.max_tokens > 0
    for step in range(int(settings.max_tokens.max())):
        logprobs = logits.log_softmax(-1)
        picked = pick_tokens(logits, settings, rows, step)
        tokens = picked.cpu().numpy()
        drawn[0].append(_spread(total, rows, tokens))
        drawn[1].append(_spread(total, rows, logprobs.gather(1, picked[:, None])[:, 0].cpu().numpy()))
        if widest_top:
            top = logprobs.topk(widest_top)
            drawn[2].append(_spread(total, rows, top.indices.cpu().numpy()))
            drawn[3].append(_spread(total, rows, top.values.cpu().numpy()))
        alive = unfinished[rows]
        lengths[rows[alive]] += 1
        hit = alive & settings.stops(rows, tokens, drawn[0], lengths)
        stopped[rows[hit]] = True
        unfinished[rows] = alive & ~hit & (lengths[rows] < settings.max_tokens[rows])
        alive = unfinished[rows]
        if not alive.any():
            break
        if alive.mean() < COMPACT_BELOW:
            kept = torch.from_numpy(np.flatnonzero(alive)).to(state.device)
            state.select(kept)
            picked, rows = picked[kept], rows[alive]
        logits = state.feed(picked[:, None], keep_logits=1)[:, -1].float()
    return _finished_rows(drawn, lengths, stopped)


def _spread(total: int, rows: Array, values: Array) -> Array:
    """Values of the rows in the batch, put at the places of all rows."""
    if len(rows) == total:
        return values
    everywhere = np.zeros((total, *values.shape[1:]), values.dtype)
    everywhere[rows] = values
    return everywhere


def _finished_rows(drawn: list[list[Any]], lengths: Array, stopped: Array) -> list[SampledRow]:
    if not drawn[0]:
        empty = np.zeros(0, np.int64), np.zeros(0, np.float32)
        return [SampledRow(*empty, stopped=False) for _ in lengths]
    tokens, logprobs, ids, values = (np.stack(steps, 1) if steps else None for steps in drawn)
    assert tokens is not None
    assert logprobs is not None
    return [
        SampledRow(
            tokens[row, :length],
            logprobs[row, :length],
            bool(stopped[row]),
            None if ids is None or values is None else (ids[row, :length], values[row, :length]),
        )
        for row, length in enumerate(lengths)
    ]
