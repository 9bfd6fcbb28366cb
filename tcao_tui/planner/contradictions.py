"""What the person said in two ways, or rules out: found in the record, so that it can be quoted back word for word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tcao_tui.domain.draft import KeyPath
from tcao_tui.domain.interview import Answered, Said, SlotFilled
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.planner.hearing import is_taken_back, said
from tcao_tui.planner.words import STAYS_HERE, Heard, heard_in, quote_of, sentences

PRIVACY = "privacy"
"""Id of the question whether data may leave the machine after all."""
MAY_LEAVE, STAYS = "may leave", "stays here"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Values of one key path that the person said without taking any back, in order."""

    path: KeyPath
    said: tuple[Heard, ...]


def contradictions(state: InterviewState) -> Iterator[Contradiction]:
    """What is said in two ways and not settled since."""
    mentions: dict[KeyPath, list[tuple[int, Heard]]] = {}
    settled: dict[KeyPath, int] = {}
    for stored in state.transcript:
        match stored.entry:
            case Said(who="you", text=text):
                for one in heard_in(text):
                    mentions.setdefault(one.path, []).append((stored.seq, one))
                    if is_taken_back(text):
                        settled[one.path] = stored.seq
            case SlotFilled(path=path, question=question) if question:
                settled[path] = stored.seq
            case _:
                pass
    for path, made in mentions.items():
        open_ones = [one for seq, one in made if seq > settled.get(path, 0)]
        before = state.draft.get(path)
        values = {one.value for one in open_ones} | (
            {before.value} if before is not None and before.by == "you" else set()
        )
        if open_ones and len(values) > 1:
            distinct = {one.value: one for _, one in made if one.value in values}
            yield Contradiction(path, tuple(distinct.values()))


def quote_that_data_stays(state: InterviewState) -> str:
    """The person's words that data must not leave the machine; empty when they did not say so, or took it back."""
    for stored in reversed(state.transcript):
        if isinstance(stored.entry, Answered) and any(
            a.question == PRIVACY and a.value == MAY_LEAVE for a in stored.entry.answers
        ):
            return ""
    return next((quote_of(s) for text in said(state) for s in sentences(text) if STAYS_HERE.search(s)), "")
