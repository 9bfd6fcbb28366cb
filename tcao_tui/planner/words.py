"""What a person's free text plainly settles: files, amounts, methods, models; each with the quote as its reason."""

from __future__ import annotations

from tcao_tui.domain.interview import Entry
from tcao_tui.domain.interview_state import InterviewState


def heard_entries(text: str, state: InterviewState) -> list[Entry]:
    """Entries for what a text settles."""
    return []
