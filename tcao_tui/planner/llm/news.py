"""What happened in an interview since the model last spoke, in words for the model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tcao_tui.domain.interview import (
    Answered,
    Approved,
    Asked,
    Entry,
    Interrupted,
    PlannerChanged,
    RunStarted,
    Said,
    SlotCleared,
    SlotFilled,
    ToolEnded,
    ToolStarted,
    UnknownEntry,
)
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.questions import Card
from tcao_tui.planner.llm.state import quoted

_OUR_TAGS = re.compile(r"</?\s*(?:person|note|state)\b[^>]*>?", re.IGNORECASE)

REPEATS_NUDGED = 3
"""The same call with the same result this often in a row of turns is told to the model; one more ends its turn."""


def news(state: InterviewState, after: int, *, delivered: frozenset[str] = frozenset()) -> Iterator[str]:
    """What the model does not know yet, one text per thing.

    Args:
        state: The interview.
        after: Place of the last entry that the model knows of.
        delivered: Ids of cards whose answers the model gets as the result of its call.
    """
    cards: dict[str, Card] = {}
    for stored in state.transcript:
        if isinstance(stored.entry, Asked):
            cards[stored.entry.card.id] = stored.entry.card
        if stored.seq > after:
            yield from _told(stored.entry, cards, delivered)


def card_waits(state: InterviewState) -> bool:
    """Whether a card is open that the person has not reacted to, neither by answers nor by words or values."""
    if state.open_card is None:
        return False
    for stored in reversed(state.transcript):
        match stored.entry:
            case Asked():
                return True
            case Said(who="you") | Answered() | SlotCleared():
                return False
            case SlotFilled(filled=filled) if filled.by == "you":
                return False
            case _:
                pass
    return False


def repeats(state: InterviewState) -> int:
    """How often the most frequent call, result included, came since the person last did something."""
    started: dict[str, ToolStarted] = {}
    counts: dict[str, int] = {}
    for stored in state.transcript:
        match stored.entry:
            case Said(who="you") | Answered():
                counts.clear()
            case ToolStarted(call_id=call_id) as call:
                started[call_id] = call
            case ToolEnded(call_id=call_id) as ended if call_id in started:
                call = started[call_id]
                same = json.dumps([call.tool, call.arguments, ended.result], sort_keys=True, default=str)
                counts[same] = counts.get(same, 0) + 1
            case _:
                pass
    return max(counts.values(), default=0)


def _told(entry: Entry | UnknownEntry, cards: dict[str, Card], delivered: frozenset[str]) -> Iterator[str]:
    match entry:
        case Said(who="you", text=text):
            yield f"<person>{_OUR_TAGS.sub('', text)}</person>"
        case Answered(card_id=card_id) as answered if card_id not in delivered:
            yield from _answered(answered, cards.get(card_id))
        case SlotFilled(path=path, filled=filled, question="") if filled.by == "you":
            yield f"<note>From the person, {path} = {quoted(filled.value)}.</note>"
        case SlotCleared(path=path):
            yield f"<note>The person took {path} back; policy decides it again.</note>"
        case PlannerChanged(planner=planner, why=why):
            yield f"<note>The {planner} planner went on from here: {quoted(why)}</note>"
        case Interrupted():
            yield "<note>The person interrupted. What was running did not finish and is not run again by itself.</note>"
        case Approved(approval_hash=approval_hash):
            yield f"<note>The person approved the plan {approval_hash}.</note>"
        case RunStarted(run_id=run_id):
            yield f"<note>A worker has the plan: run {run_id}.</note>"
        case _:
            pass


def _answered(answered: Answered, card: Card | None) -> Iterator[str]:
    asked = {question.id: question.text for question in card.questions} if card is not None else {}
    for answer in answered.answers:
        said = "use the default" if answer.defaulted else quoted(answer.value)
        yield f"<note>Asked: {asked.get(answer.question, answer.question)} The person answered:</note>"
        yield f"<person>{said}</person>"
    if answered.defaults_for_rest:
        yield "<note>The person wants defaults for everything else: ask nothing more.</note>"
