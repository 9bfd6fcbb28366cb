"""What the model is sent: the turns of the present conversation word for word, and one new message with the rest.

A conversation only grows, because newer models refuse thinking whose context was edited afterwards. When it would grow
too long, when model, prompt or tools changed, or when it was refused, the next one starts from the slots: they, and
not a summary, are the planner's memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import JsonValue

from tcao_tui.domain.interview import Answered, ModelTurn, ToolEnded
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plain_text import plain_text
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.calls import INTERRUPTED
from tcao_tui.planner.llm.news import REPEATS_NUDGED, card_waits, news, repeats
from tcao_tui.planner.llm.state import quoted, state_text
from tcao_tui.planner.scrubber import Scrubber

RUNNABLE_STOPS = frozenset({"tool_use", "end_turn", "stop_sequence"})
"""Stop reasons after which what the model wrote is whole; proxies say "end_turn" with tool calls."""

_CLOSING_STOPS = frozenset({"refusal", "model_context_window_exceeded"})
_RESULT_CHARACTERS = 16_000
_REPEATED = (
    "You made the same call with the same result several times. Do something else, ask the person, or end your turn."
)
_CUT_OFF = "Your last turn was cut off before it was whole; nothing of it was run. Go on, with fewer words."

type Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conversation:
    """The part of the record that is one talk with the model; empty when a new one is to start."""

    id: str
    turns: tuple[ModelTurn, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """All turns as the API takes them."""
        return tuple(turn.message for turn in self.turns)

    @property
    def seen(self) -> int:
        """Place of the last entry that the model knows of."""
        return max((turn.seen for turn in self.turns), default=0)

    @property
    def waiting_calls(self) -> dict[str, str]:
        """Calls that the model made last and has no results of: name of the tool by id."""
        last = self.turns[-1].message["content"] if self.turns else ()
        return {block["id"]: block["name"] for block in last if block["type"] == "tool_use"}

    @property
    def last_state(self) -> str:
        """The state that the model was told last; "" when none."""
        blocks = (block for turn in reversed(self.turns) for block in turn.message["content"])
        return next((block["text"] for block in blocks if block.get("text", "").startswith("<state>")), "")

    @property
    def stop_reason(self) -> str:
        """Why the model stopped last; "" in a new conversation."""
        return self.turns[-1].stop_reason if self.turns else ""


def conversation_of(
    state: InterviewState, fingerprint: str, context_tokens: int, *, starts_afresh: bool = False
) -> Conversation:
    """The conversation that goes on.

    Args:
        state: The interview.
        fingerprint: Of model, prompt and tools; a conversation under another one is over.
        context_tokens: Input past which a conversation is over, once no results are waited for.
        starts_afresh: The last conversation is over whatever its length.
    """
    turns = [stored.entry for stored in state.transcript if isinstance(stored.entry, ModelTurn)]
    if turns and turns[-1].message["role"] == "user":
        turns.pop()  # it was not answered, and is told anew
    ids = list(dict.fromkeys(turn.conversation for turn in turns))
    fresh = Conversation(f"{fingerprint}.{len(ids)}")
    if starts_afresh or not turns or not ids[-1].startswith(f"{fingerprint}."):
        return fresh
    last = Conversation(ids[-1], tuple(turn for turn in turns if turn.conversation == ids[-1]))
    usage = last.turns[-1].usage
    too_long = sum(tokens for name, tokens in usage.items() if name != "output_tokens") > context_tokens
    results_wanted = any(tool != "ask_user" for tool in last.waiting_calls.values())
    return fresh if last.stop_reason in _CLOSING_STOPS or (too_long and not results_wanted) else last


def is_the_persons_turn(state: InterviewState, conversation: Conversation) -> bool:
    """Whether the model has nothing to react to: a card waits for its answers, or nothing happened since it spoke."""
    if card_waits(state):
        return True
    if not conversation.turns or conversation.waiting_calls or conversation.stop_reason not in RUNNABLE_STOPS:
        return False
    return not any(news(state, conversation.seen))


def next_message(state: InterviewState, sheet: PlanSheet, conversation: Conversation, scrubber: Scrubber) -> Message:
    """What the model is told next: results of its calls first, then what happened, then the slots if they changed."""
    waiting = conversation.waiting_calls
    texts = list(news(state, conversation.seen, delivered=frozenset(waiting)))
    if conversation.turns and conversation.stop_reason not in RUNNABLE_STOPS:
        texts.append(f"<note>{_CUT_OFF}</note>")
    if repeats(state) >= REPEATS_NUDGED:
        texts.append(f"<note>{_REPEATED}</note>")
    texts = [plain_text(scrubber.clean(text)) for text in texts]
    now = plain_text(scrubber.clean(state_text(state, sheet)))
    if now != conversation.last_state:
        texts.append(now)
    blocks = [_result(call_id, tool, state, scrubber) for call_id, tool in waiting.items()]
    blocks += [{"type": "text", "text": text} for text in texts]
    return {"role": "user", "content": blocks or [{"type": "text", "text": "<note>Go on.</note>"}]}


def with_note(message: Message, note: str) -> Message:
    """A message that was not answered yet, with one more note to the model."""
    return {**message, "content": [*message["content"], {"type": "text", "text": f"<note>{note}</note>"}]}


def _result(call_id: str, tool: str, state: InterviewState, scrubber: Scrubber) -> Message:
    ended = next((e for e in _entries(state) if isinstance(e, ToolEnded) and e.call_id == call_id), None)
    result: Mapping[str, Any] = INTERRUPTED if ended is None else ended.result
    is_error = ended is None or not ended.ok
    if tool == "ask_user" and not is_error:
        result = _answers(call_id, state)
    text = plain_text(quoted(scrubber.clean_json(cast("JsonValue", dict(result)))))
    if len(text) > _RESULT_CHARACTERS:
        text = f"{text[:_RESULT_CHARACTERS]}… (cut: {len(text)} characters in all)"
    return {"type": "tool_result", "tool_use_id": call_id, "content": text, "is_error": is_error}


def _answers(card_id: str, state: InterviewState) -> dict[str, Any]:
    answered = next((e for e in _entries(state) if isinstance(e, Answered) and e.card_id == card_id), None)
    if answered is None or not (answered.answers or answered.defaults_for_rest):
        return {"answered": False, "note": "The person did not answer the card but did what is told next."}
    values = {answer.question: "use the default" if answer.defaulted else answer.value for answer in answered.answers}
    return {"answered": True, "answers": values, "defaults_for_rest": answered.defaults_for_rest}


def _entries(state: InterviewState) -> Iterator[object]:
    return (stored.entry for stored in state.transcript)
