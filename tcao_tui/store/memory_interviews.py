"""The interviews of the memory store, with the contract of the real one; nothing survives the process."""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.domain.interview import Entry, StoredEntry, parse_entry
from tcao_tui.store.interview_rows import entry_body, summary_after, taken, unknown_interview, went_on_elsewhere
from tcao_tui.store.interviews import InterviewSummary


class MemoryInterviews:
    """An `InterviewStore`; for one thread."""

    def __init__(self) -> None:
        self._summaries: dict[str, InterviewSummary] = {}
        self._entries: dict[str, list[StoredEntry]] = {}
        self._seq = 0

    def create_interview(self, interview_id: str, *, at: float) -> None:
        """Make an interview known. Raises `Refused` when the id is taken."""
        if interview_id in self._summaries:
            raise taken(interview_id)
        self._summaries[interview_id] = InterviewSummary(interview_id, "", "open", "", at, at)
        self._entries[interview_id] = []

    def append(self, interview_id: str, entries: Sequence[Entry], *, after: int, at: float) -> list[StoredEntry]:
        """Append all or nothing. Raises `Refused` when the interview went on elsewhere, `UsageError` for no such."""
        record = self._record(interview_id)
        if (record[-1].seq if record else 0) != after:
            raise went_on_elsewhere(interview_id)
        stored: list[StoredEntry] = []
        for entry in entries:
            self._seq += 1
            read_back = parse_entry(entry.kind, entry_body(entry))
            stored.append(StoredEntry(seq=self._seq, interview_id=interview_id, at=at, entry=read_back))
        record += stored
        self._summaries[interview_id] = summary_after(self._summaries.pop(interview_id), entries, at)
        return stored

    def entries(self, interview_id: str, *, after: int = 0) -> list[StoredEntry]:
        """Entries past a place, in order. Raises `UsageError` that names the nearest ids when there is none."""
        return [stored for stored in self._record(interview_id) if stored.seq > after]

    def interviews(self, *, limit: int = 1_000) -> list[InterviewSummary]:
        """All interviews, the one that moved last first."""
        moved_last_first = reversed(self._summaries.values())
        return sorted(moved_last_first, key=lambda summary: summary.updated_at, reverse=True)[:limit]

    def _record(self, interview_id: str) -> list[StoredEntry]:
        if interview_id not in self._entries:
            raise unknown_interview(interview_id, self._entries)
        return self._entries[interview_id]
