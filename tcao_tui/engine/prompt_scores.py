"""What a request can ask about its prompt: logprobs, top-k, chosen tokens and alternative tokens, per position.

The first prompt token has no preceding context: its entry is NaN (None in the SDK). Out of scope: generation.
"""

from __future__ import annotations

import numpy as np
import torch
from tinker.proto import tinker_public_pb2 as wire
from tinker.types import SampleRequest
from tinker.types._pydantic_types.tensor_data import TensorData

from tcao_tui.engine.api_errors import WorkFailed
from tcao_tui.engine.protocol import Array, SampleOutput, dense_tensor

EMPTY_LOGPROB = -99999.0
"""The SDK's sentinel for a top-k cell without an entry."""


def check_questions(request: SampleRequest, length: int, vocabulary: int) -> None:
    """Refuse questions that do not fit a prompt of this length.

    Raises:
        WorkFailed: `prompt_logprobs_last_n` or the targets are out of range.
    """
    last = request.prompt_logprobs_last_n
    if last is not None and not 1 <= last <= length - 1:
        raise WorkFailed(f"prompt_logprobs_last_n must be between 1 and {length - 1}, got {last}")
    targets = request.target_prompt_logprobs
    if targets is not None and (
        not targets.shape or targets.shape[0] != length - 1 or max(targets.data, default=0) >= vocabulary
    ):
        raise WorkFailed(f"target_prompt_logprobs must have {length - 1} rows of ids below {vocabulary}")


def score_prompt(output: SampleOutput, logits: torch.Tensor, prompt: Array, request: SampleRequest, seed: int) -> None:
    """Fill in what the request asks about its prompt.

    Args:
        output: Gets the results.
        logits: At the prompt's positions, shape (N, V).
        prompt: Its tokens, shape (N,).
        request: What is asked.
        seed: For alternative tokens.
    """
    logprobs = logits[:-1].float().log_softmax(-1)
    last = request.prompt_logprobs_last_n
    skipped = 0 if last is None else len(prompt) - last
    if request.prompt_logprobs:
        chosen = logprobs.gather(1, torch.from_numpy(prompt[1:]).to(logprobs.device)[:, None])[:, 0]
        scored = np.concatenate([[np.nan], chosen.cpu().numpy()]).astype(np.float32)
        scored[:skipped] = np.nan
        output.prompt_logprobs = scored
    if (width := min(request.topk_prompt_logprobs, logits.shape[-1])) > 0:
        ids = np.zeros((len(prompt), width), np.int32)
        values = np.full((len(prompt), width), EMPTY_LOGPROB, np.float32)
        top = logprobs.topk(width)
        ids[1:], values[1:] = top.indices.cpu().numpy(), top.values.cpu().numpy()
        ids[:skipped], values[:skipped] = 0, EMPTY_LOGPROB
        output.top_prompt = (ids, values)
    if request.target_prompt_logprobs is not None:
        output.target_prompt_logprobs = _targets(logprobs, request.target_prompt_logprobs)
    if (draws := request.prompt_alt_tokens_k) > 0:
        temperature = request.sampling_params.temperature or 1.0
        stream = torch.Generator(logits.device).manual_seed(seed & 0x7FFF_FFFF_FFFF_FFFF)
        drawn = torch.multinomial((logprobs / temperature).softmax(-1), draws, replacement=True, generator=stream)
        output.alternatives = (drawn.cpu().numpy(), logprobs.gather(1, drawn).cpu().numpy())


def _targets(logprobs: torch.Tensor, asked: TensorData) -> wire.Tensor:
    """Logprobs of the asked ids in the layout (dense or sparse CSR) they were asked in; -1 asks for nothing."""
    ids = np.asarray(asked.data, np.int64)
    shape = list(asked.shape or ids.shape)
    crow, columns = asked.sparse_crow_indices, asked.sparse_col_indices
    rows = np.repeat(np.arange(shape[0]), shape[1] if crow is None else np.diff(np.asarray(crow)))
    flat = torch.from_numpy(np.maximum(ids.ravel(), 0)).to(logprobs.device)
    found = logprobs[torch.from_numpy(rows).to(logprobs.device), flat].cpu().numpy()
    values = np.where(ids.ravel() < 0, 0.0, found).astype(np.float32)
    if crow is None:
        return dense_tensor(values.reshape(shape))
    sparse = wire.SparseCsr(
        values=values.tobytes(),
        crow_indices=np.asarray(crow, np.int64).tobytes(),
        col_indices=np.asarray(columns, np.int64).tobytes(),
    )
    return wire.Tensor(sparse_csr=sparse, dtype=wire.DTYPE_FLOAT32, shape=shape)
