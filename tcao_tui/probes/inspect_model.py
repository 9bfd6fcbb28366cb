"""Checkpoints as models of Inspect: `inspect eval TASK --model tcao/BASE@RUN-STEP -M checkpoint=tinker://...`.

The cookbook's bridge samples well and records badly: its logs never name the checkpoint, so retries crash and caches
mix checkpoints up, and every answer is said to have stopped by itself. Here the checkpoint is in the name and in the
arguments, both of which Inspect writes down and gives back on a retry; stop reasons and cached tokens are the server's.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import tinker
from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    ModelAPI,
    ModelCost,
    ModelInfo,
    ModelOutput,
    ModelUsage,
    StopReason,
    set_model_info,
)
from inspect_ai.tool import ToolChoice, ToolInfo
from tinker_cookbook.eval.inspect_utils import InspectAPIFromTinkerSampling

from tcao_tui.clients.tinker_errors import clean
from tcao_tui.domain.cost import CACHED_SHARE
from tcao_tui.errors import UsageError
from tcao_tui.probes.answer_book import BOOK_VARIABLE, Answer, AnswerBook
from tcao_tui.probes.chat_voice import Voice, open_voice
from tcao_tui.probes.server import Server
from tcao_tui.probes.tokenizers import go_offline_if_needed

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CONNECTIONS = 100
"""Answers asked for at once; the SDK itself keeps 2,000 in flight."""

_STOPS: dict[str, StopReason] = {"stop": "stop", "length": "max_tokens"}


@dataclass(frozen=True, slots=True)
class _Opened:
    client: tinker.SamplingClient
    voice: Voice
    context_tokens: int | None


class CheckpointModel(InspectAPIFromTinkerSampling):
    """Sampler weights or a base model, answering in the chat format they were trained with.

    Args:
        model_name: `BASE@RUN-STEP` for a checkpoint, so that no cache takes it for another one, or `BASE`.
        base_url: Not used: the profile names the server.
        api_key: Not used: keys come from the profile's own place, never from a log.
        api_key_vars: As Inspect has it.
        config: As Inspect has it.
        checkpoint: `tinker://` path of sampler weights; left out, the base model answers.
        renderer: Chat format; left out, the recommended one.
        profile: Server profile of the settings; left out, the one that every command would use.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        api_key_vars: Sequence[str] = (),
        config: GenerateConfig | None = None,
        *,
        checkpoint: str | None = None,
        renderer: str = "",
        profile: str | None = None,
    ) -> None:
        # The cookbook's own constructor opens a session at once, with a tokenizer from the hub.
        ModelAPI.__init__(self, model_name, base_url, None, list(api_key_vars), config or GenerateConfig())
        base, _, label = model_name.partition("@")
        if (checkpoint is None) != (not label):
            raise UsageError(
                f"{clean(model_name)} does not say which checkpoint it is",
                where="--model",
                next_step="use tcao/BASE for a base model, or tcao/BASE@RUN-STEP with -M checkpoint=tinker://...",
            )
        self._base, self._checkpoint, self._trained = base, checkpoint, renderer
        self._server = Server(profile, "evals")
        self._opening = asyncio.Lock()
        self._opened: _Opened | None = None
        book = os.environ.get(BOOK_VARIABLE)
        self._book = AnswerBook(Path(book)) if book else None
        self.verbose, self.include_reasoning = False, True

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """Answer as the cookbook does, and say why the answer ended and what it took.

        Raises:
            TcaoError: The server, the weights or the tokenizer cannot be had.
        """
        opened = await self._open()
        taken = _Taken(opened.client, self.model_name, self._book, opened.context_tokens)
        one = copy.copy(self)
        one.renderer, one.sampling_client = opened.voice.cookbook, cast("tinker.SamplingClient", taken)
        output = await InspectAPIFromTinkerSampling.generate(one, input, tools, tool_choice, config)
        return _told(output, taken, config.stop_seqs or [])

    async def count_text_tokens(self, text: str) -> int:
        """Tokens of a text by the model's own tokenizer."""
        return len((await self._open()).voice.cookbook.tokenizer.encode(text, add_special_tokens=False))

    def max_connections(self) -> int:
        """Answers at once unless the command line says otherwise."""
        return MAX_CONNECTIONS

    def connection_key(self) -> str:
        """All checkpoints of a server share its limits."""
        return self._server.profile.name

    async def aclose(self) -> None:
        """End the session."""
        self._opened = None
        if self._book is not None:
            self._book.close()
            self._book = None
        await self._server.close()

    async def _open(self) -> _Opened:
        async with self._opening:
            if self._opened is None:
                service = await self._server.service()
                base = self._base if self._checkpoint is None else None
                client = await service.create_sampling_client(base_model=base, model_path=self._checkpoint)
                voice = await asyncio.to_thread(self._voice)
                self._tell_price(voice)
                self._opened = _Opened(client, voice, await self._context_tokens())
            return self._opened

    async def _context_tokens(self) -> int | None:
        """Longest prompt and answer together; None where the server does not say."""
        rest = await self._server.rest()
        offered = (await rest.get_server_capabilities()).supported_models
        return next((one.max_context_length for one in offered if one.model_name == self._base), None)

    def _voice(self) -> Voice:
        if self._server.profile.kind != "engine":
            go_offline_if_needed(self._base)
        return open_voice(self._server, self._base, self._trained, None)

    def _tell_price(self, voice: Voice) -> None:
        prices = voice.prices
        if prices.prefill_usd is None or prices.sample_usd is None:
            return
        cost = ModelCost(
            input=prices.prefill_usd,
            output=prices.sample_usd,
            input_cache_write=prices.prefill_usd,
            input_cache_read=CACHED_SHARE * prices.prefill_usd,
        )
        set_model_info(f"tcao/{self.model_name}", ModelInfo(cost=cost))


class _Taken:
    """A sampling client of one call that keeps what the server answered, and asks only what the book does not have."""

    def __init__(
        self, client: tinker.SamplingClient, model: str, book: AnswerBook | None, context_tokens: int | None
    ) -> None:
        self._client, self._model, self._book, self._context_tokens = client, model, book, context_tokens
        self.response: tinker.SampleResponse | None = None
        self.prompt_tokens = 0

    async def sample(
        self, prompt: tinker.ModelInput, num_samples: int, sampling_params: tinker.SamplingParams
    ) -> tinker.SampleResponse:
        """Sample, as the SDK does; an answer may take what the prompt leaves of the context, where that is less."""
        self.prompt_tokens = prompt.length
        room = (self._context_tokens or 0) - prompt.length
        if 0 < room < (sampling_params.max_tokens or room + 1):
            # The server refuses what might not fit, and a cap that leaves room for thinking seldom does.
            sampling_params = sampling_params.model_copy(update={"max_tokens": room})
        if self._book is None:
            self.response = await self._client.sample(prompt, num_samples, sampling_params)
            return self.response
        question = f"{self._model}|{num_samples}|{sampling_params.model_dump_json()}|{prompt.model_dump_json()}"
        asked = hashlib.sha256(question.encode()).hexdigest()[:32]
        if (kept := self._book.take(asked)) is not None:
            self.response = _response(kept)
            return self.response
        self.response = await self._client.sample(prompt, num_samples, sampling_params)
        self._book.keep(_answer(asked, self.response, self.prompt_tokens, self._model))
        return self.response


def _answer(asked: str, response: tinker.SampleResponse, prompt_tokens: int, model: str) -> Answer:
    return Answer(
        asked=asked,
        tokens=[list(sequence.tokens) for sequence in response.sequences],
        stops=[sequence.stop_reason for sequence in response.sequences],
        prompt_tokens=prompt_tokens,
        cached_tokens=min(response.prompt_cache_hit_tokens, prompt_tokens),
        model=model,
    )


def _response(answer: Answer) -> tinker.SampleResponse:
    sequences = [
        tinker.SampledSequence(
            stop_reason=cast("tinker.StopReason", stop), sequence_id=answer.asked, tokens_np=np.array(tokens, np.int32)
        )
        for tokens, stop in zip(answer.tokens, answer.stops, strict=True)
    ]
    return tinker.SampleResponse(sequences=sequences, prompt_cache_hit_tokens=answer.cached_tokens)


def _told(output: ModelOutput, taken: _Taken, stop_texts: Sequence[str]) -> ModelOutput:
    """The cookbook's output with the server's stop reasons and cached tokens."""
    assert taken.response is not None
    for choice, sequence in zip(output.choices, taken.response.sequences, strict=True):
        choice.stop_reason = _STOPS.get(sequence.stop_reason, "unknown")
        if choice.message.tool_calls and choice.stop_reason == "stop":
            choice.stop_reason = "tool_calls"
        # The renderers stop at tokens and the SDK takes either kind, so stop texts are cut afterwards.
        if ends := [at for text in stop_texts if text and (at := choice.message.text.find(text)) >= 0]:
            choice.message.text = choice.message.text[: min(ends)]
            choice.stop_reason = "stop"
    output.completion = output.choices[0].message.text
    cached = min(taken.response.prompt_cache_hit_tokens, taken.prompt_tokens)
    written = sum(len(sequence.tokens) for sequence in taken.response.sequences)
    output.usage = ModelUsage(
        input_tokens=taken.prompt_tokens - cached,
        input_tokens_cache_read=cached,
        output_tokens=written,
        total_tokens=taken.prompt_tokens + written,
    )
    return output
