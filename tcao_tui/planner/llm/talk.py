"""A talk with the model: ask, keep the turn, run the calls that are whole, and ask again.

Each turn is recorded before anything of it runs, so that an interrupt or a dead console leaves a record from which the
next request can be built.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from tcao_tui.clients.llm_port import LlmClient, LlmFailure, LlmPart, LlmRequest, LlmTurn, TextPart, ToolSpec
from tcao_tui.clients.llm_prices import price_of, usd_of
from tcao_tui.domain.interview import Entry, ModelTurn, Said, ToolStarted
from tcao_tui.domain.plain_text import plain_text
from tcao_tui.planner.llm.calls import has_asked, run_calls
from tcao_tui.planner.llm.context import RUNNABLE_STOPS, Conversation, Message, conversation_of, next_message, with_note
from tcao_tui.planner.llm.meter import over_limit
from tcao_tui.planner.llm.news import REPEATS_NUDGED, repeats
from tcao_tui.planner.llm.retry import Patience, ask_patiently
from tcao_tui.planner.llm.turn import ReadTurn, read_turn
from tcao_tui.planner.port import HandOver, Interview, TextDelta, ThinkingDelta
from tcao_tui.planner.scrubber import Scrubber
from tcao_tui.settings import PlannerSettings

_UNUSABLE_TURNS = 2
"""So many turns in a row that were cut off or garbled are put up with."""


@dataclass
class Talk:
    """One stay of the model in an interview: from the person's turn to the person's turn.

    Attributes:
        system: The prompt; with `tools` the same for a whole conversation.
        tools: What the model is offered; a server may make us ask for less strictness.
        starts_afresh: The server refused the conversation so far, and a new one is to start.
    """

    interview: Interview
    settings: PlannerSettings
    scrubber: Scrubber
    patience: Patience
    system: str
    tools: tuple[ToolSpec, ...]
    starts_afresh: bool = False

    async def go_on(self, client: LlmClient) -> None:
        """Ask and run calls until the model ends its turn or asks the person. Raises `HandOver` when it cannot."""
        unusable = 0
        while unusable <= _UNUSABLE_TURNS:
            if (why := over_limit(self.interview.state, self.settings)) is not None:
                raise HandOver(why)
            turn, read = await self._next_turn(client)
            if not read.calls and turn.stop_reason in RUNNABLE_STOPS:
                return
            is_usable = await run_calls(self.interview, read.calls, [tool.name for tool in self.tools])
            if has_asked(self.interview, read.calls):
                return
            if repeats(self.interview.state) > REPEATS_NUDGED:
                self.interview.append(Said(who="tcao", text="The model kept repeating one call and was stopped."))
                return
            unusable = 0 if is_usable else unusable + 1
        raise HandOver("the model's turns kept being cut off or garbled; planner.max_output_tokens may be too small")

    async def _next_turn(self, client: LlmClient) -> tuple[LlmTurn, ReadTurn]:
        """Ask until there is a turn, and record it. Raises `HandOver` when there is none to be had."""
        while True:
            conversation = self.conversation()
            message = next_message(self.interview.state, self.interview.sheet, conversation, self.scrubber)
            seen = self.interview.state.seq
            try:
                sent, turn = await self._ask(client, conversation, message)
            except LlmFailure as failure:
                self._mend(failure, conversation)
                continue
            return turn, self._keep(conversation, sent, turn, seen)

    async def _ask(self, client: LlmClient, conversation: Conversation, message: Message) -> tuple[Message, LlmTurn]:
        sent = message

        def note(failure: LlmFailure) -> None:
            nonlocal sent
            if failure.kind == "bad_tool_json":
                sent = with_note(sent, "Your last try was dropped: the arguments of a call were not valid JSON.")

        async def attempt() -> LlmTurn:
            request = LlmRequest(self.system, self.tools, (*conversation.messages, sent))
            return await client.stream(request, self._stream)

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
        price = price_of(turn.model, self.settings.prices) or price_of(self.settings.model, self.settings.prices)
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

    def _stream(self, part: LlmPart) -> None:
        self.interview.stream(TextDelta(part.text) if isinstance(part, TextPart) else ThinkingDelta(part.text))

    def conversation(self) -> Conversation:
        """The conversation that goes on, or a new one."""
        parts = [self.settings.model, self.system, [asdict(tool) for tool in self.tools]]
        fingerprint = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
        limit = self.settings.context_tokens
        return conversation_of(self.interview.state, fingerprint, limit, starts_afresh=self.starts_afresh)

    def _used_ids(self) -> frozenset[str]:
        entries = (stored.entry for stored in self.interview.state.transcript)
        return frozenset(entry.call_id for entry in entries if isinstance(entry, ToolStarted))


def _refused(category: str) -> str:
    match category:
        case "frontier_llm":
            about = " (it took this for the making of a competing model; ordinary fine-tuning can look like that)"
        case "":
            about = ""
        case _:
            about = f" ({category})"
    return f"the model declined to go on{about}; every answer is kept, and another planner.model may do"
