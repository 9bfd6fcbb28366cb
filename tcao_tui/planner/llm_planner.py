"""The LLM planner: our own loop on one model. It asks, keeps the turn, runs the calls that are whole, and asks again.

Whatever the model writes, only tools run, and no tool approves or launches. Each turn is recorded before anything of it
runs, so that an interrupt or a dead console leaves a record from which the next request can be built.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

from tcao_tui.clients.llm_port import LlmClient, LlmFailure, LlmPart, LlmRequest, LlmTurn, TextPart, ToolSpec
from tcao_tui.clients.llm_prices import price_of, usd_of
from tcao_tui.domain.interview import Entry, ModelTurn, PlannerName, Said, ToolEnded, ToolStarted
from tcao_tui.domain.plain_text import plain_text
from tcao_tui.errors import TcaoError
from tcao_tui.planner import calls
from tcao_tui.planner.llm_context import (
    RUNNABLE_STOPS,
    Conversation,
    Message,
    conversation_of,
    is_the_persons_turn,
    next_message,
    with_note,
)
from tcao_tui.planner.llm_meter import over_limit
from tcao_tui.planner.llm_news import REPEATS_NUDGED, repeats
from tcao_tui.planner.llm_retry import Patience, ask_patiently
from tcao_tui.planner.llm_turn import ModelCall, ReadTurn, read_turn
from tcao_tui.planner.port import HandOver, Interview, TextDelta, ThinkingDelta, Tool
from tcao_tui.planner.prompts import system_prompt
from tcao_tui.planner.scrubber import Scrubber
from tcao_tui.planner.tool_specs import tool_specs
from tcao_tui.registry import Registry
from tcao_tui.settings import PlannerSettings

_UNUSABLE_TURNS = 2
"""So many turns in a row that were cut off or garbled are put up with."""


class LlmPlanner:
    """Interviews through an LLM; see `planner.port.Planner`.

    Args:
        open_client: Makes the client; it loads the SDK and reads the key, so it is called late and in a thread.
        tools: What the model may call.
        settings: Limits and switches.
        scrubber: Keeps secrets out of what is sent.
        can_ask: Whether a person is there to answer cards; without one the model is not given `ask_user`.
        sleep: Waits between attempts.
    """

    name: ClassVar[PlannerName] = "llm"

    def __init__(
        self,
        open_client: Callable[[], LlmClient],
        tools: Registry[type[Tool]],
        settings: PlannerSettings,
        scrubber: Scrubber,
        *,
        can_ask: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._open_client = open_client
        self._registry = tools
        self._settings = settings
        self._scrubber = scrubber
        self._can_ask = can_ask
        self._tools: tuple[ToolSpec, ...] = ()
        self._patience = Patience(settings.retries, settings.retry_after_seconds, sleep)

    async def go_on(self, interview: Interview) -> None:
        """Work until it is the person's turn; see `planner.port.Planner.go_on`."""
        try:
            client, system = await asyncio.to_thread(self._prepare)
        except (TcaoError, LlmFailure) as error:
            raise HandOver(f"{error}; {error.next_step}".rstrip("; ")) from error
        talk = _Talk(interview, client, self._settings, self._scrubber, self._patience, system, self._tools)
        try:
            await talk.go_on()
        finally:
            await client.close()
        self._tools = talk.tools

    def _prepare(self) -> tuple[LlmClient, str]:
        """The client and the prompt; blocks, the first time for seconds, on imports and on the key's place."""
        self._tools = self._tools or tool_specs(self._registry, without=() if self._can_ask else ("ask_user",))
        return self._open_client(), system_prompt(can_ask=self._can_ask)


@dataclass
class _Talk:
    """One stay of the model in an interview: from the person's turn to the person's turn."""

    interview: Interview
    client: LlmClient
    settings: PlannerSettings
    scrubber: Scrubber
    patience: Patience
    system: str
    tools: tuple[ToolSpec, ...]
    starts_afresh: bool = False

    async def go_on(self) -> None:
        if is_the_persons_turn(self.interview.state, self._conversation()):
            return
        unusable = 0
        while unusable <= _UNUSABLE_TURNS:
            if (why := over_limit(self.interview.state, self.settings)) is not None:
                raise HandOver(why)
            turn, read = await self._next_turn()
            if not read.calls and turn.stop_reason in RUNNABLE_STOPS:
                return
            is_usable = await self._run(read.calls)
            if _asked(read.calls, self.interview):
                return
            if repeats(self.interview.state) > REPEATS_NUDGED:
                self.interview.append(Said(who="tcao", text="The model kept repeating one call and was stopped."))
                return
            unusable = 0 if is_usable else unusable + 1
        raise HandOver("the model's turns kept being cut off or garbled; planner.max_output_tokens may be too small")

    async def _next_turn(self) -> tuple[LlmTurn, ReadTurn]:
        """Ask until there is a turn, and record it. Raises `HandOver` when there is none to be had."""
        while True:
            conversation = self._conversation()
            message = next_message(self.interview.state, self.interview.sheet, conversation, self.scrubber)
            seen = self.interview.state.seq
            try:
                sent, turn = await self._ask(conversation, message)
            except LlmFailure as failure:
                self._mend(failure, conversation)
                continue
            return turn, self._keep(conversation, sent, turn, seen)

    async def _ask(self, conversation: Conversation, message: Message) -> tuple[Message, LlmTurn]:
        sent = message

        def note(failure: LlmFailure) -> None:
            nonlocal sent
            if failure.kind == "bad_tool_json":
                sent = with_note(sent, "Your last try was dropped: the arguments of a call were not valid JSON.")

        async def attempt() -> LlmTurn:
            request = LlmRequest(self.system, self.tools, (*conversation.messages, sent))
            return await self.client.stream(request, self._stream)

        turn = await ask_patiently(attempt, self.patience, self.interview.stream, note)
        return sent, turn

    def _mend(self, failure: LlmFailure, conversation: Conversation) -> None:
        """Change what can be changed about a failed request. Raises `HandOver` when nothing can."""
        if failure.kind == "schemas_too_large" and any(tool.strict for tool in self.tools):
            self.tools = tuple(replace(tool, strict=False) for tool in self.tools)
        elif failure.kind == "bad_request" and conversation.turns and not self.starts_afresh:
            self.starts_afresh = True
        else:
            raise HandOver(f"{failure}; {failure.next_step}".rstrip("; "))

    def _keep(self, conversation: Conversation, sent: Message, turn: LlmTurn, seen: int) -> ReadTurn:
        """Record what was sent and what came, in one piece. Raises `HandOver` on a refusal."""
        price = price_of(turn.model, self.settings.prices) or price_of(self.client.model, self.settings.prices)
        answer = ModelTurn(
            message={"role": "assistant", "content": []},
            usage=asdict(turn.usage),
            model=turn.model,
            stop_reason=turn.stop_reason,
            usd=usd_of(turn.usage, price),
            conversation=conversation.id,
        )
        if turn.stop_reason == "refusal":
            self.interview.append(answer)
            raise HandOver(_refused(turn.refusal))
        self.starts_afresh = False
        read = read_turn(turn, self._used_ids())
        entries: list[Entry] = [
            ModelTurn(message=sent, conversation=conversation.id, seen=seen),
            answer.model_copy(update={"message": {"role": "assistant", "content": list(read.content)}}),
        ]
        if read.text:
            entries.append(Said(who="planner", text=plain_text(read.text)))
        self.interview.append(*entries)
        return read

    async def _run(self, wanted: Sequence[ModelCall]) -> bool:
        """Run the calls that may run: side by side, cards last and one by one. Says whether any of them was whole."""
        offered = {tool.name for tool in self.tools}
        whole: list[ModelCall] = []
        for call in wanted:
            problem = call.problem or ("" if call.tool in offered else f"there is no such tool: {call.tool}")
            if problem:
                expected = f"one of {', '.join(sorted(offered))}" if not call.problem else "one whole JSON object"
                refusal = calls.refusal(call.tool, problem, expected, "nothing was run; call again")
                self.interview.append(
                    ToolStarted(call_id=call.call_id, tool=call.tool, arguments=call.arguments),
                    ToolEnded(call_id=call.call_id, ok=False, result=refusal.result),
                )
            else:
                whole.append(call)
        await _side_by_side([self._call(call) for call in whole if call.tool != "ask_user"])
        for call in whole:
            if call.tool == "ask_user":
                await self._call(call)
        return bool(whole)

    async def _call(self, call: ModelCall) -> None:
        await self.interview.call(call.tool, call.arguments, call.call_id)

    def _stream(self, part: LlmPart) -> None:
        self.interview.stream(TextDelta(part.text) if isinstance(part, TextPart) else ThinkingDelta(part.text))

    def _conversation(self) -> Conversation:
        parts = [self.client.model, self.system, [asdict(tool) for tool in self.tools]]
        fingerprint = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
        limit = self.settings.context_tokens
        return conversation_of(self.interview.state, fingerprint, limit, starts_afresh=self.starts_afresh)

    def _used_ids(self) -> frozenset[str]:
        entries = (stored.entry for stored in self.interview.state.transcript)
        return frozenset(entry.call_id for entry in entries if isinstance(entry, ToolStarted))


def _asked(wanted: Sequence[ModelCall], interview: Interview) -> bool:
    """Whether the open card is of this turn."""
    card = interview.state.open_card
    return card is not None and any(call.call_id == card.id for call in wanted)


async def _side_by_side(running: Sequence[Awaitable[None]]) -> None:
    """Await all; when one fails or the turn is cancelled, the others are cancelled and waited for."""
    tasks = [asyncio.ensure_future(one) for one in running]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _refused(category: str) -> str:
    match category:
        case "frontier_llm":
            about = " (it took this for the making of a competing model; ordinary fine-tuning can look like that)"
        case "":
            about = ""
        case _:
            about = f" ({category})"
    return f"the model declined to go on{about}; every answer is kept, and another planner.model may do"
