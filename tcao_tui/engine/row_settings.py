"""How each row of a generating batch draws its tokens and when it ends.

Temperature, top-k, top-p, random streams and stop conditions as arrays over rows, so that a batch may mix them.
Out of scope: running the model (`sampler.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from tinker.types import SamplingParams

from tcao_tui.engine.api_errors import WorkFailed
from tcao_tui.engine.models import LoadedModel
from tcao_tui.engine.protocol import Array

BLOCK = 64
"""Random numbers drawn at once per row."""

TAIL_TOKENS_PER_CHARACTER = 4
"""A character of UTF-8 takes up to four tokens of a byte-level tokenizer."""


@dataclass
class RowSettings:
    """Settings of R rows; arrays have shape (R,), stop tokens (R, S) padded with -1."""

    temperature: Array
    top_p: Array
    top_k: Array
    max_tokens: Array
    stop_tokens: Array
    stop_strings: list[list[str]]
    streams: list[np.random.Generator]
    tokenizer: Any
    _uniforms: Array = field(default_factory=lambda: np.zeros((0, BLOCK)))

    @classmethod
    def of(
        cls, requests: Sequence[tuple[SamplingParams, int, int]], repeats: Sequence[int], model: LoadedModel
    ) -> RowSettings:
        """Settings for requests (parameters, seed, most tokens), each repeated for its number of samples."""
        stops = [_stops(params, model) for params, _, _ in requests]
        widest = max((len(tokens) for tokens, _ in stops), default=0)
        padded = np.array([tokens + [-1] * (widest - len(tokens)) for tokens, _ in stops], np.int64)
        return cls(
            temperature=np.repeat([params.temperature for params, _, _ in requests], repeats),
            top_p=np.repeat([params.top_p for params, _, _ in requests], repeats),
            top_k=np.repeat([params.top_k for params, _, _ in requests], repeats),
            max_tokens=np.repeat([most for _, _, most in requests], repeats),
            stop_tokens=np.repeat(padded.reshape(len(stops), widest), repeats, axis=0),
            stop_strings=[strings for (_, strings), times in zip(stops, repeats, strict=True) for _ in range(times)],
            streams=[
                np.random.default_rng([seed & 0xFFFF_FFFF_FFFF_FFFF, sample])
                for (_, seed, _), times in zip(requests, repeats, strict=True)
                for sample in range(times)
            ],
            tokenizer=model.tokenizer,
        )

    def uniforms(self, rows: Array, step: int) -> Array:
        """One number in [0, 1) per row; the same for a row whatever other rows there are."""
        if step % BLOCK == 0:
            drawn = np.zeros((len(self.streams), BLOCK))
            for row in rows:
                drawn[row] = self.streams[row].random(BLOCK)
            self._uniforms = drawn
        return self._uniforms[rows, step % BLOCK]

    def stops(self, rows: Array, tokens: Array, steps: list[Array], lengths: Array) -> Array:
        """Which rows end with the token just drawn, shape (len(rows),).

        Args:
            rows: The rows in the batch.
            tokens: Their newest tokens.
            steps: All tokens so far, one array over all rows per step.
            lengths: Tokens so far of all rows.
        """
        hit = (self.stop_tokens[rows] == tokens[:, None]).any(1)
        for place, row in enumerate(rows):
            for text in self.stop_strings[row]:
                tail = min(int(lengths[row]), TAIL_TOKENS_PER_CHARACTER * len(text) + BLOCK)
                recent = [int(step[row]) for step in steps[len(steps) - tail :]]
                hit[place] |= text in self.tokenizer.decode(recent)
        return hit


def check_params(params: SamplingParams) -> None:
    """Refuse settings that mean nothing.

    Raises:
        WorkFailed: A parameter is out of range.
    """
    if not 0 < params.top_p <= 1 or not 0 <= params.temperature < float("inf"):
        raise WorkFailed("top_p must be in (0, 1] and temperature not negative")


def _stops(params: SamplingParams, model: LoadedModel) -> tuple[list[int], list[str]]:
    """Stop tokens and stop strings: none given means the model's own, an empty list means none at all.

    Given ones are added to the model's own.
    """
    own = list(model.end_tokens)
    if params.stop is None:
        return own, []
    if isinstance(params.stop, str):
        return own, [params.stop]
    if not params.stop:
        return [], []
    return (
        own + [stop for stop in params.stop if isinstance(stop, int)],
        [stop for stop in params.stop if isinstance(stop, str) and stop],
    )


def pick_tokens(logits: torch.Tensor, settings: RowSettings, rows: Array, step: int) -> torch.Tensor:
    """One token per row, shape (R,), by inverting the cumulative distribution at the row's random number.

    Args:
        logits: Shape (R, V).
        settings: Of all rows.
        rows: Which rows these are.
        step: How many tokens they have.
    """
    greedy = settings.temperature[rows] == 0
    uniforms = settings.uniforms(rows, step)
    if greedy.all():
        return logits.argmax(-1)
    device = logits.device
    temperature = torch.from_numpy(np.where(greedy, 1.0, settings.temperature[rows])).to(device, torch.float32)
    probabilities = (logits / temperature[:, None]).softmax(-1)
    top_k, top_p = settings.top_k[rows], settings.top_p[rows]
    if (top_k > 0).any() or (top_p < 1).any():
        probabilities = _filtered(probabilities, torch.from_numpy(top_k).to(device), torch.from_numpy(top_p).to(device))
    cumulative = probabilities.double().cumsum(-1)
    targets = torch.from_numpy(uniforms).to(device)[:, None] * cumulative[:, -1:]
    drawn = torch.searchsorted(cumulative, targets, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)
    return torch.where(torch.from_numpy(greedy).to(device), logits.argmax(-1), drawn)


def _filtered(probabilities: torch.Tensor, top_k: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Probabilities (R, V) with everything outside top-k and top-p set to zero; the likeliest token always stays."""
    ordered, order = probabilities.sort(-1, descending=True)
    ranks = torch.arange(ordered.shape[-1], device=ordered.device)
    outside_k = (top_k[:, None] > 0) & (ranks >= top_k[:, None])
    # A token is in the nucleus while the mass before it is below top_p.
    outside_p = (ordered.cumsum(-1) - ordered) >= top_p[:, None]
    ordered = ordered.masked_fill((outside_k | outside_p) & (ranks > 0), 0.0)
    return torch.zeros_like(probabilities).scatter(-1, order, ordered)
