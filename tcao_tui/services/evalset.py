"""Fills an eval set: from rows that look like a whole file, from what a run got wrong, from chats with votes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from tcao_tui.data.evalset import add_cases, new_cases, without_leaks
from tcao_tui.domain.chat import Conversation
from tcao_tui.domain.chat_rows import rows_of
from tcao_tui.domain.evalset import Case, case_input, failure_kind
from tcao_tui.domain.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Added:
    """What came of filling a set.

    Attributes:
        added: Cases that were written.
        known: That the set had already, or that came twice.
        leaked: That stand in what is trained on, by training file.
        tags: Cases added, by tag.
    """

    added: int
    known: int
    leaked: Mapping[Path, int]
    tags: Mapping[str, int]


def fill(path: Path, cases: Sequence[Case], *, against: Sequence[Path], tags: Sequence[str] = ()) -> Added:
    """Append what is new and does not leak; the set is made when it is not there.

    Args:
        path: The set, JSONL.
        cases: What is offered.
        against: Files that are trained on.
        tags: For each case besides its own.

    Raises:
        PlanInvalid: A file cannot be read.
        Refused: The set holds rows of another format.
    """
    tagged = [replace(case, tags=tuple(dict.fromkeys((*case.tags, *tags)))) for case in cases]
    kept = new_cases(path, tagged)
    known = len(tagged) - len(kept)
    leaked: dict[Path, int] = {}
    for training in against:
        before = len(kept)
        kept = without_leaks(kept, training)
        leaked[training] = before - len(kept)
    add_cases(path, kept)
    return Added(len(kept), known, leaked, Counter(tag for case in kept for tag in case.tags))


def failed_cases(transcripts: Iterable[Transcript], source: str) -> list[Case]:
    """Samples that were answered wrongly, with the wanted answers; of several epochs the first one.

    Args:
        transcripts: Of items whose answers were wrong.
        source: Where they come from, for people.
    """
    found: dict[str, Case] = {}
    for one in transcripts:
        first = takewhile(lambda turn: turn.role in ("system", "user"), one.turns)
        asked = [{"role": turn.role, "content": turn.text} for turn in first]
        if asked and one.target and one.item not in found:
            tags = (failure_kind(one.target, one.turns[-1].text),)
            found[one.item] = Case(case_input(asked), one.target, tags, f"{source} item {one.item}")
    return [*found.values()]


def voted_cases(conversation: Conversation) -> list[Case]:
    """Rounds that a person voted on, the better answer being the wanted one: what a model says is no reference."""
    source = f"chat {conversation.chat_id}"
    rows = [
        row
        for one in conversation.rounds
        if isinstance(one.vote, int) and one.has_answers(one.vote)
        for row in rows_of("case", one, one.vote)
    ]
    return [Case(row["input"], row["output"], source=source) for row in rows]
