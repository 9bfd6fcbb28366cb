"""Both sides of the parity proof: the backend's greedy answers and logprobs, and those of exported weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import tinker
import torch
from pydantic import JsonValue
from tinker.types import SamplingParams
from torch import nn

from tcao_tui.clients.backend_calls import Shape
from tcao_tui.clients.tinker_errors import SDK_ERRORS, clean, status_of, translate
from tcao_tui.clients.tinker_sdk import in_daemon_thread
from tcao_tui.clients.weight_calls import (
    AskBackend,
    BackendAnswers,
    MeasuredExport,
    MeasureExport,
    ParityPrompt,
    Progress,
)
from tcao_tui.data.rows import PromptRow, RowRejected
from tcao_tui.domain.parity import Answered, Measured
from tcao_tui.errors import BackendError, PlanInvalid
from tcao_tui.probes.rendered import RowRenderer
from tcao_tui.probes.server import Server
from tcao_tui.probes.tokenizers import TokenizerMissing, go_offline_if_needed, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

type Tell = Callable[[Shape], None]

_IMPOSSIBLE = -1e9
"""Logprob in place of one that is no number, nats."""

_NOT_OFFERED = (400, 404, 405, 422, 501)


async def ask_backend(server: Server, arguments: JsonValue, tell: Tell) -> BackendAnswers:
    """`parity.backend`.

    Raises:
        BackendError: The server has no such weights, does not answer, or there is no tokenizer.
    """
    asked = AskBackend.model_validate(arguments)
    tell(Progress(doing="asking the backend", total=len(asked.prompts), unit="prompts"))
    try:
        tokenizer = await in_daemon_thread(partial(_tokenizer, asked.tokenizer))
        sampler = await _sampler(server, asked.path)
        answers: list[Answered] = []
        for prompt in asked.prompts:
            answers.append(await _answer(sampler, prompt, tokenizer, asked))
            tell(Progress(doing="asking the backend", done=len(answers), total=len(asked.prompts), unit="prompts"))
    except SDK_ERRORS as error:
        raise translate(error, f"sampling {clean(asked.path)}") from error
    return BackendAnswers(answers=tuple(answers))


def _tokenizer(place: str) -> PreTrainedTokenizerBase:
    go_offline_if_needed(place)
    try:
        return load_tokenizer(place)
    except TokenizerMissing as error:
        raise BackendError(str(error)) from error


async def _sampler(server: Server, path: str) -> tinker.SamplingClient:
    service = await server.service()
    if "/sampler_weights/" in path:
        return await service.create_sampling_client(model_path=path)
    training = await service.create_training_client_from_state(path)
    return await training.save_weights_and_get_sampling_client()


async def _answer(
    sampler: tinker.SamplingClient, prompt: ParityPrompt, tokenizer: PreTrainedTokenizerBase, asked: AskBackend
) -> Answered:
    tokens = _tokens(prompt, tokenizer, asked)
    greedy = SamplingParams(max_tokens=asked.max_tokens, temperature=0.0, seed=0)
    sampled = (await sampler.sample(tinker.ModelInput.from_ints(tokens), 1, greedy)).sequences[0]
    both = [*tokens, *sampled.tokens]
    try:
        logprobs = await sampler.compute_logprobs(tinker.ModelInput.from_ints(both))
    except SDK_ERRORS as error:
        if status_of(error) not in _NOT_OFFERED:
            raise
        # A server without logprobs of prompts still tells those of what it sampled.
        logprobs = [*[None] * len(tokens), *(sampled.logprobs or [None] * len(sampled.tokens))]
    decode: Any = tokenizer.decode
    return Answered(
        text=prompt.text,
        tokens=tuple(both),
        prompt_tokens=len(tokens),
        logprobs=tuple(logprobs),
        words=tuple(decode([token]) for token in both),
    )


def _tokens(prompt: ParityPrompt, tokenizer: PreTrainedTokenizerBase, asked: AskBackend) -> list[int]:
    try:
        renderer = RowRenderer(asked.model, asked.renderer, tokenizer)
        return list(renderer.render(PromptRow([*prompt.conversation]))[0].tokens)
    except (PlanInvalid, RowRejected):
        encode: Any = tokenizer.encode
        return cast("list[int]", encode(prompt.text))


async def measure_export(server: Server, arguments: JsonValue, tell: Tell) -> MeasuredExport:
    """`parity.export`; needs memory for the whole base model.

    Raises:
        BackendError: transformers or PEFT does not load it.
    """
    asked = MeasureExport.model_validate(arguments)
    tell(Progress(doing="loading the export", total=len(asked.sequences), unit="prompts"))
    try:
        model = await in_daemon_thread(partial(_load, asked))
        measured: list[Measured] = []
        for tokens in asked.sequences:
            measured.append(await in_daemon_thread(partial(_measure, model, tokens)))
            told = Progress(
                doing="measuring the export", done=len(measured), total=len(asked.sequences), unit="prompts"
            )
            tell(told)
    except SDK_ERRORS as error:
        why = clean(str(error)) or type(error).__name__
        raise BackendError(f"the export cannot be loaded: {why}", where=asked.folder) from error
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    return MeasuredExport(dtype=dtype, sequences=tuple(measured))


def _load(asked: MeasureExport) -> nn.Module:
    # Imported here: a backend that is only asked has no use for half a gigabyte of libraries.
    from peft import PeftModel
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype: Any = "auto" if device.type == "cuda" else torch.float32
    place = asked.folder if asked.form == "merged" else asked.base
    local = Path(place).is_dir()
    model: Any = AutoModelForCausalLM.from_pretrained(place, dtype=dtype, local_files_only=local)
    if asked.form == "peft":
        model = PeftModel.from_pretrained(model, asked.folder)
    return model.to(device).eval()


def _measure(model: nn.Module, tokens: tuple[int, ...]) -> Measured:
    ids = torch.tensor([tokens], device=next(model.parameters()).device)
    with torch.inference_mode():
        scores: torch.Tensor = model(ids).logits[0, :-1].float().log_softmax(dim=-1)
        # JSON has no such numbers, and a weight that is none must not pass for agreement.
        scores = scores.nan_to_num(nan=_IMPOSSIBLE, posinf=_IMPOSSIBLE, neginf=_IMPOSSIBLE)
    best = scores.max(dim=-1)
    own = scores.gather(1, ids[0, 1:, None])[:, 0]
    return Measured(
        logprobs=tuple(own.tolist()), best=tuple(best.indices.tolist()), best_logprobs=tuple(best.values.tolist())
    )
