"""An interview's entries as what stands in a transcript: words, tools, cards, notes. Pure.

Entries that belong together become one block: a tool's start and end, a card and its answers. What the plan card says
better (values, measurements) and what only the model needs (its turns verbatim) is no block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tcao_tui.domain.interview import (
    Answered,
    Approved,
    Asked,
    Entry,
    Interrupted,
    PlannerChanged,
    PlanWritten,
    RunStarted,
    Said,
    SlotCleared,
    SlotFilled,
    Started,
    StoredEntry,
    ToolEnded,
    ToolStarted,
    UnknownEntry,
)
from tcao_tui.domain.questions import Answer, Card
from tcao_tui.domain.wording import money_text
from tcao_tui.tui.panes.planner.values import value_text

ToolStatus = Literal["running", "done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Words:
    """Words of the person, a planner or the console."""

    seq: int
    who: Literal["you", "planner", "tcao"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool and what it answered; `result` None while it runs."""

    seq: int
    call_id: str
    tool: str
    arguments: dict[str, Any]
    status: ToolStatus = "running"
    result: dict[str, Any] | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class AskedCard:
    """A card of questions; `answers` None while it is open and so stands below, where it is answered."""

    seq: int
    card: Card
    answers: tuple[Answer, ...] | None = None
    defaults_for_rest: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened: symbol, sentence, ink."""

    seq: int
    sign: str
    text: str
    ink: str


Block = Words | ToolCall | AskedCard | Note


class Blocks:
    """The transcript so far; entries go in once and in order."""

    def __init__(self) -> None:
        self.all: list[Block] = []
        self._seen = 0
        self._calls: dict[str, int] = {}
        self._cards: dict[str, int] = {}
        self._open_card = ""

    def take(self, transcript: Sequence[StoredEntry]) -> set[int]:
        """Read what is new in a transcript.

        Returns:
            Places in `all` that are new or changed.
        """
        changed: set[int] = set()
        for stored in transcript[self._seen :]:
            changed |= self._add(stored.seq, stored.entry)
        self._seen = len(transcript)
        return changed

    def _add(self, seq: int, entry: Entry | UnknownEntry) -> set[int]:
        match entry:
            case Said(who=who, text=text):
                return self._append(Words(seq, who, text))
            case ToolStarted(call_id=call_id, tool=tool, arguments=arguments):
                self._calls[call_id] = len(self.all)
                return self._append(ToolCall(seq, call_id, tool, arguments))
            case ToolEnded() as ended:
                return self._end(ended)
            case Asked(card=card):
                passed_over = self._answer(self._open_card, (), defaults_for_rest=False)
                self._cards[card.id] = len(self.all)
                self._open_card = card.id
                return passed_over | self._append(AskedCard(seq, card))
            case Answered() as answered:
                return self._answer(answered.card_id, answered.answers, defaults_for_rest=answered.defaults_for_rest)
            case Interrupted(what=what):
                note = Note(seq, "‖", f"interrupted{f': {what}' if what else ''}", "warn")
                return self._interrupt() | self._append(note)
            case _:
                note = note_of(seq, entry)
                return set() if note is None else self._append(note)

    def _append(self, block: Block) -> set[int]:
        self.all.append(block)
        return {len(self.all) - 1}

    def _end(self, ended: ToolEnded) -> set[int]:
        place = self._calls.pop(ended.call_id, None)
        call = None if place is None else self.all[place]
        if place is None or not isinstance(call, ToolCall):
            return set()
        status: ToolStatus = "done" if ended.ok else "failed"
        self.all[place] = replace(call, status=status, result=ended.result, seconds=ended.seconds)
        return {place}

    def _answer(self, card_id: str, answers: tuple[Answer, ...], *, defaults_for_rest: bool) -> set[int]:
        place = self._cards.get(card_id)
        asked = None if place is None else self.all[place]
        if place is None or not isinstance(asked, AskedCard) or asked.answers is not None:
            return set()
        self.all[place] = replace(asked, answers=answers, defaults_for_rest=defaults_for_rest)
        return {place}

    def _interrupt(self) -> set[int]:
        places = set(self._calls.values())
        for place in places:
            call = self.all[place]
            if isinstance(call, ToolCall):
                self.all[place] = replace(call, status="interrupted")
        self._calls.clear()
        return places


def note_of(seq: int, entry: Entry | UnknownEntry) -> Note | None:
    """What an entry that is no words, tool or card says; None when the transcript leaves it out."""
    match entry:
        case Started(forked_from=origin) if origin:
            return Note(seq, "⑂", f"goes on from interview {origin}", "muted")
        case SlotFilled(path=path, filled=filled, question="") if filled.by == "you":
            return Note(seq, "✎", f"{path} = {value_text(filled.value)}", "muted")
        case SlotCleared(path=path):
            return Note(seq, "✎", f"{path} taken back: the rules decide again", "muted")
        case PlannerChanged(planner=planner, why=why):
            return Note(seq, "⇄", f"the {planner_title(planner)} goes on{f': {why}' if why else ''}", "warn")
        case Approved(approval_hash=digest, max_cost_usd=cap, by=by):
            cost = "" if cap is None else f", at most {money_text(cap)}"
            return Note(seq, "✓", f"approved by {by}{cost} ({digest})", "ok")
        case PlanWritten(directory=directory):
            return Note(seq, "✓", f"written to {directory}", "ok")
        case RunStarted(run_id=run_id):
            return Note(seq, "▶", f"a worker has the plan: run {run_id}", "ok")
        case UnknownEntry(kind=kind):
            return Note(seq, "?", f"{kind}: an entry of another version", "muted")
        case _:
            return None


def planner_title(name: str) -> str:
    """What a person calls a planner."""
    return "rules planner" if name == "rules" else "LLM planner"


def is_said(block: Block) -> bool:
    """Whether a planner said it, in Markdown."""
    return isinstance(block, Words) and block.who == "planner"


def is_close(blocks: Sequence[Block], place: int) -> bool:
    """Whether a block needs no line above it: a reply ends in one, and tools and notes stand together.

    Args:
        blocks: All blocks.
        place: Of a block, or past the last one for words that are still streaming.
    """
    if place == 0:
        return True
    before, block = blocks[place - 1], blocks[place] if place < len(blocks) else None
    return is_said(before) or (isinstance(before, ToolCall | Note) and type(before) is type(block))
