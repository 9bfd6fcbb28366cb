"""An interview as planners and tools see it, on record: they add entries and call tools, and cannot act for the person.

Whatever happens to a call, the record is consistent: each tool that started has ended, and none runs twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.interview import Entry, StoredEntry, ToolEnded, ToolStarted
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.domain.planning import sheet_of
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner import calls, hearing, reach
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Streamed, Tool, ToolOutcome
from tcao_tui.registry import Registry
from tcao_tui.store.interviews import InterviewStore

type Listener = Callable[[StoredEntry | Streamed], None]


class RecordedInterview:
    """Reads an interview, and goes on from its last entry; implements `planner.port.Interview`.

    Args:
        store: Where the record is; the interview is there already.
        interview_id: The interview.
        desk: What tools may ask for.
        tools: What planners may call.
        facts: What is known without asking, such as the installed graders.
        listener: Told each new entry, and what only streams past.
        clock: Unix seconds.
    """

    def __init__(
        self,
        store: InterviewStore,
        interview_id: str,
        *,
        desk: Desk,
        tools: Registry[type[Tool]],
        facts: Facts,
        listener: Listener | None,
        clock: Callable[[], float],
    ) -> None:
        self._store, self._desk, self._tools = store, desk, tools
        self._listener, self._clock = listener, clock
        self._state = InterviewState(interview_id, facts=facts)
        for stored in store.entries(interview_id):
            self._state = fold(self._state, stored)
        self._dangling = calls.ended_by_death(self._state)
        self._sheet: tuple[object, object, PlanSheet] | None = None

    @property
    def state(self) -> InterviewState:
        """The fold of all entries."""
        return self._state

    @property
    def sheet(self) -> PlanSheet:
        """The plan as it stands; the same object until draft or facts change."""
        draft, facts = self._state.draft, self._state.facts
        if self._sheet is None or self._sheet[0] is not draft or self._sheet[1] is not facts:
            self._sheet = draft, facts, sheet_of(draft, facts)
        return self._sheet[2]

    def listen(self, listener: Listener | None) -> None:
        """Tell a front end each new entry, and what only streams past."""
        self._listener = listener

    def append(self, *entries: Entry) -> None:
        """Record entries of a planner or a tool. Raises `Refused` for a person's, or when it went on elsewhere."""
        calls.refuse_persons_acts(entries)
        self._add(*entries)

    def stream(self, piece: Streamed) -> None:
        """Tell the front end something that is not recorded."""
        if self._listener is not None:
            self._listener(piece)

    def may_read(self, path: str) -> bool:
        """Whether a file may be read: it lies in the person's project, or the person named it; secrets by name only."""
        return reach.may_read(path, self._state)

    async def call(self, tool: str, arguments: dict[str, Any], call_id: str = "") -> ToolOutcome:
        """Run a tool, with start, end and what it learned on record; a call id runs once, whatever happens.

        Raises:
            Refused: The interview went on elsewhere. All other errors of tools become outcomes that are not ok.
        """
        call_id = call_id or f"call-{self._state.seq + 1}"
        if (recorded := calls.recorded_outcome(self._state, call_id)) is not None:
            return recorded
        started = ToolStarted(call_id=call_id, tool=tool, arguments=arguments)
        self._add(started)
        began = self._clock()
        try:
            outcome = await calls.run_tool(self._tools, started, self, self._desk)
            calls.refuse_persons_acts(outcome.entries)
        except BaseException:
            self._add(ToolEnded(call_id=call_id, ok=False, result=calls.INTERRUPTED))
            raise
        seconds = max(0.0, self._clock() - began)
        ended = ToolEnded(call_id=call_id, ok=outcome.ok, result=outcome.result, seconds=seconds)
        # One append: a console that dies here loses all of it or nothing.
        self._add(*calls.learned(outcome.facts), *outcome.entries, *self._named_models(outcome), ended)
        return outcome

    def _named_models(self, outcome: ToolOutcome) -> list[Entry]:
        """Models that the person named before it was known which there are."""
        listed = [fact for fact in outcome.facts if isinstance(fact, Capabilities)]
        if not listed:
            return []
        return hearing.heard_models(replace(self._state, facts=self._state.facts.with_fact(listed[-1])))

    def _add(self, *entries: Entry) -> None:
        """Append entries, and ahead of the first the ends of what an earlier console left open when it died.

        Raises:
            Refused: The interview went on elsewhere.
        """
        if not entries:
            return
        stored = self._store.append(
            self._state.interview_id, (*self._dangling, *entries), after=self._state.seq, at=self._clock()
        )
        self._dangling = ()
        for one in stored:
            self._state = fold(self._state, one)
        if self._listener is not None:
            for one in stored:
                self._listener(one)
