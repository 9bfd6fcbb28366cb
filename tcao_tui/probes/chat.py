"""`chat.reply` of the helper process: contenders answer, several at once, each told as soon as it is there.

The SDK 0.38 samples in one piece (`SamplingClient.sample` resolves to a whole `SampleResponse`, and no resource of it
streams), so an answer comes whole. Giving the call up ends the waiting; what the server has begun to sample, it may
finish and bill.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinker
from pydantic import JsonValue

from tcao_tui.clients.backend_calls import Nothing
from tcao_tui.clients.chat_calls import Answered, Ask, ChatReply
from tcao_tui.clients.tinker_errors import SDK_ERRORS, clean, translate
from tcao_tui.data.rows import RowRejected
from tcao_tui.domain.chat import ChatSettings, Contender, Reply
from tcao_tui.errors import TcaoError
from tcao_tui.methods.at_once import at_most
from tcao_tui.probes.server import Server
from tcao_tui.probes.serving import Tell
from tcao_tui.probes.tokenizers import go_offline_if_needed

if TYPE_CHECKING:
    from tcao_tui.probes.chat_voice import Voice

type _Way = tuple[str, str, bool | None]
"""Source, renderer and thinking: what a contender is opened by."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A contender that can be asked."""

    client: tinker.SamplingClient
    voice: Voice


class ChatDesk:
    """Contenders of one server, opened when first asked and kept for the next prompt.

    Args:
        server: The server.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._opened: dict[_Way, _Opened] = {}
        self._opening: defaultdict[_Way, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def reply(self, asked: ChatReply, tell: Tell) -> None:
        """Answer everything; raises `TcaoError` only when the server cannot be reached at all."""
        await self._server.service()
        failed: list[bool] = []

        async def one(place: int) -> None:
            ask = asked.asks[place]
            reply = await self._reply(asked.contenders[ask.contender], ask, asked.settings)
            failed.append(bool(reply.error))
            tell(Answered(ask=place, reply=reply))

        await at_most(asked.at_once, one, range(len(asked.asks)))
        if failed and all(failed):
            # The session may be lost, as after a restart of the server, so the next prompt gets another one.
            self._opened.clear()
            await self._server.close()

    async def _reply(self, contender: Contender, ask: Ask, settings: ChatSettings) -> Reply:
        try:
            opened = await self._open(contender, settings.thinking)
            return await _sampled(opened, ask, settings)
        except TcaoError as error:
            what = f"{error}; {error.next_step}" if error.next_step else str(error)
        except RowRejected as error:
            what = f"{error.what}; {error.fix}"
        except SDK_ERRORS as error:
            what = str(translate(error, "sampling"))
        return Reply(error=what)

    async def _open(self, contender: Contender, thinking: bool | None) -> _Opened:
        way = (contender.source, contender.renderer, thinking)
        async with self._opening[way]:
            if (opened := self._opened.get(way)) is None:
                opened = self._opened[way] = await self._opened_now(contender, thinking)
            return opened

    async def _opened_now(self, contender: Contender, thinking: bool | None) -> _Opened:
        service = await self._server.service()
        base, path = (contender.source, None) if contender.is_base else (None, contender.source)
        try:
            client = await service.create_sampling_client(base_model=base, model_path=path)
        except SDK_ERRORS as error:
            raise translate(error, f"opening {clean(contender.source)}") from error
        model = client.get_base_model()
        return _Opened(client, await asyncio.to_thread(self._voice, model, contender.renderer, thinking))

    def _voice(self, model: str, trained: str, thinking: bool | None) -> Voice:
        if self._server.profile.kind != "engine":
            go_offline_if_needed(model)
        from tcao_tui.probes.chat_voice import open_voice  # reads the hub's switch, which is set above

        return open_voice(self._server, model, trained, thinking)


async def _sampled(opened: _Opened, ask: Ask, settings: ChatSettings) -> Reply:
    voice = opened.voice
    prompt = voice.prompt(ask.messages)
    parameters = tinker.SamplingParams(
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        seed=settings.seed,
        stop=voice.stop,
    )
    began = time.monotonic()
    response = await opened.client.sample(prompt, num_samples=1, sampling_params=parameters)
    seconds = time.monotonic() - began
    sequence = response.sequences[0]
    is_cut = sequence.stop_reason == "length"
    said = voice.read(sequence.tokens, is_cut=is_cut)
    return Reply(
        base_model=voice.model,
        renderer=voice.renderer,
        text=said.text,
        thinking=said.thinking,
        prompt_tokens=prompt.length,
        cached_tokens=min(response.prompt_cache_hit_tokens, prompt.length),
        tokens=len(sequence.tokens),
        is_cut=is_cut,
        problem=said.problem,
        seconds=seconds,
        prices=voice.prices,
    )


async def reply(server: Server, arguments: JsonValue, tell: Tell) -> Nothing:
    """Carry out `ChatReply`."""
    await server.kept(ChatDesk).reply(ChatReply.model_validate(arguments), tell)
    return Nothing()
