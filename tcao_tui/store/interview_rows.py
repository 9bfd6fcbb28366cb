"""How entries of an interview look in a table, and the row of the interview list that goes with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pydantic_core import PydanticSerializationError

from tcao_tui.domain.interview import Approved, Entry, RunStarted, Said, SlotCleared, SlotFilled, UnknownEntry
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import Refused, UsageError
from tcao_tui.store.interviews import InterviewSummary
from tcao_tui.store.unknown import unknown

_TITLE_WIDTH = 80


def entry_body(entry: Entry | UnknownEntry) -> bytes:
    """An entry as JSON; lone surrogates in foreign text become question marks."""
    try:
        return entry.model_dump_json().encode()
    except PydanticSerializationError:
        return json.dumps(entry.model_dump(), ensure_ascii=False, default=str).encode("utf-8", "replace")


def summary_after(summary: InterviewSummary, entries: Sequence[Entry], at: float) -> InterviewSummary:
    """The row of the list after more entries."""
    for entry in entries:
        match entry:
            case Said(who="you", text=text) if not summary.title:
                summary = replace(summary, title=one_line(text, _TITLE_WIDTH))
            case SlotFilled(path="goal", filled=filled):
                summary = replace(_opened(summary), title=one_line(str(filled.value), _TITLE_WIDTH))
            case SlotFilled() | SlotCleared():
                summary = _opened(summary)
            case Approved():
                summary = replace(summary, status="approved")
            case RunStarted(run_id=run_id):
                summary = replace(summary, status="launched", run_id=run_id)
            case _:
                pass
    return replace(summary, updated_at=at)


def _opened(summary: InterviewSummary) -> InterviewSummary:
    """A change of the draft voids an approval."""
    return replace(summary, status="open")


def went_on_elsewhere(interview_id: str) -> Refused:
    """The error for an append that comes too late."""
    return Refused(
        "this interview went on in another console; nothing was written",
        where=interview_id,
        next_step=f"tcao plan --resume {interview_id}",
    )


def taken(interview_id: str) -> Refused:
    """The error for an id that is in use."""
    return Refused(f"there is an interview {interview_id} already", next_step=f"tcao plan --resume {interview_id}")


def unknown_interview(interview_id: str, known: Iterable[str]) -> UsageError:
    """The error for an interview that is not there, with the ids that look like it."""
    return unknown("no interview", interview_id, known, next_step="tcao plan --list")
