"""The record of one interview as this console knows it: state, sheet, and the one place where entries are added."""

from __future__ import annotations

from collections.abc import Callable

from tcao_tui.domain.facts import Facts
from tcao_tui.domain.interview import Entry, StoredEntry
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.domain.planning import sheet_of
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.calls import ended_by_death
from tcao_tui.planner.port import Streamed
from tcao_tui.store.interviews import InterviewStore

type Listener = Callable[[StoredEntry | Streamed], None]


class Record:
    """Reads an interview, and goes on from its last entry.

    Args:
        store: Where it is.
        interview_id: The interview; it is there already.
        facts: What is known without asking, such as the installed graders.
        listener: Told each new entry, and what only streams past.
        clock: Unix seconds.
    """

    def __init__(
        self,
        store: InterviewStore,
        interview_id: str,
        *,
        facts: Facts,
        listener: Listener | None,
        clock: Callable[[], float],
    ) -> None:
        self._store, self._clock = store, clock
        self.listener = listener
        self.state = InterviewState(interview_id, facts=facts)
        for stored in store.entries(interview_id):
            self.state = fold(self.state, stored)
        self._dangling = ended_by_death(self.state)
        self._sheet: tuple[object, object, PlanSheet] | None = None

    @property
    def sheet(self) -> PlanSheet:
        """The plan as it stands; the same object until draft or facts change."""
        draft, facts = self.state.draft, self.state.facts
        if self._sheet is None or self._sheet[0] is not draft or self._sheet[1] is not facts:
            self._sheet = draft, facts, sheet_of(draft, facts)
        return self._sheet[2]

    def add(self, *entries: Entry) -> None:
        """Append entries, and ahead of the first the ends of what an earlier console left open when it died.

        Raises:
            Refused: The interview went on elsewhere.
        """
        if not entries:
            return
        stored = self._store.append(
            self.state.interview_id, (*self._dangling, *entries), after=self.state.seq, at=self._clock()
        )
        self._dangling = ()
        for one in stored:
            self.state = fold(self.state, one)
        for one in stored:
            self.tell(one)

    def tell(self, news: StoredEntry | Streamed) -> None:
        """Tell the front end."""
        if self.listener is not None:
            self.listener(news)
