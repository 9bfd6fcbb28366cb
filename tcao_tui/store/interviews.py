"""The contract of the interview store: append-only records beside the runs, in the same database.

Any console may go on with an interview, but only from its last entry: an append names the place that it continues
from, and one that comes too late is refused and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tcao_tui.domain.interview import Entry, StoredEntry


@dataclass(frozen=True, slots=True)
class InterviewSummary:
    """One interview in a list; times are Unix seconds.

    Attributes:
        title: The goal, or the first words of the person.
        status: "open", "approved" or "launched".
        run_id: The run that it led to; empty when none.
    """

    interview_id: str
    title: str
    status: str
    run_id: str
    created_at: float
    updated_at: float


class InterviewStore(Protocol):
    """All interviews below one runs root."""

    def create_interview(self, interview_id: str, *, at: float) -> None:
        """Make an interview known. Raises `Refused` when the id is taken."""
        ...

    def append(self, interview_id: str, entries: Sequence[Entry], *, after: int, at: float) -> list[StoredEntry]:
        """Append all or nothing.

        Args:
            interview_id: The interview.
            entries: In order.
            after: `seq` of the last entry that the caller knows; 0 for none.
            at: Unix seconds.

        Raises:
            Refused: The interview went on elsewhere.
            UsageError: There is no such interview.
        """
        ...

    def entries(self, interview_id: str, *, after: int = 0) -> list[StoredEntry]:
        """Entries past a place, in order. Raises `UsageError` that names the nearest ids when there is none."""
        ...

    def interviews(self, *, limit: int = 1_000) -> list[InterviewSummary]:
        """All interviews, the one that moved last first."""
        ...
