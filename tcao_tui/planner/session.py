"""An interview that goes on: the record, the planner's turns, and the acts that only a person may do.

`append` and `call` are for planners and tools, which can neither speak for the person nor approve nor launch. Whatever
way a turn ends, the record is consistent: each tool that started has ended, and an approval fits the plan or is void.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.domain.draft import KeyPath
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.interview import (
    Answered,
    Approved,
    Entry,
    Interrupted,
    PlannerChanged,
    PlannerName,
    RunStarted,
    Said,
    SlotCleared,
    ToolEnded,
    ToolStarted,
)
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.questions import Answer
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import Refused, TcaoError
from tcao_tui.planner import answers as answering
from tcao_tui.planner import calls, consent, hearing, reach
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.launching import launch_approved
from tcao_tui.planner.port import HandOver, Planner, Streamed, Tool, ToolOutcome
from tcao_tui.planner.record import Listener, Record
from tcao_tui.registry import Registry
from tcao_tui.services.backends import Profile
from tcao_tui.store.interviews import InterviewStore
from tcao_tui.store.port import RunStore

type Launcher = Callable[[RunStore, Path, Profile, Approved], str]


class Session:
    """One console's hand on an interview; implements `planner.port.Interview`.

    Everything happens on the event loop that calls `go_on`, `say` and `answer`; cancelling one of them, or
    `interrupt`, ends the planner's turn and leaves a consistent record.

    Args:
        store: Where the record is; the interview is there already.
        interview_id: The interview.
        desk: What tools may ask for.
        planners: By name; "rules" is always there.
        tools: What planners may call.
        facts: What is known without asking, such as the installed graders.
        listener: Told each new entry, and what only streams past.
        clock: Unix seconds.
        launcher: Starts a worker on what was approved.
    """

    def __init__(
        self,
        store: InterviewStore,
        interview_id: str,
        *,
        desk: Desk,
        planners: Mapping[PlannerName, Planner],
        tools: Registry[type[Tool]],
        facts: Facts | None = None,
        listener: Listener | None = None,
        clock: Callable[[], float] = time.time,
        launcher: Launcher = launch_approved,
    ) -> None:
        self._record = Record(store, interview_id, facts=facts or Facts(), listener=listener, clock=clock)
        self._desk, self._planners, self._tools = desk, planners, tools
        self._clock, self._launcher = clock, launcher
        self._turn_lock = asyncio.Lock()
        self._turn: asyncio.Future[None] | None = None
        self._stopped_by_person = False

    @property
    def state(self) -> InterviewState:
        """The fold of all entries."""
        return self._record.state

    @property
    def sheet(self) -> PlanSheet:
        """The plan as it stands; the same object until draft or facts change."""
        return self._record.sheet

    def listen(self, listener: Listener | None) -> None:
        """Tell a front end each new entry, and what only streams past."""
        self._record.listener = listener

    def append(self, *entries: Entry) -> None:
        """Record entries of a planner or a tool. Raises `Refused` for a person's, or when it went on elsewhere."""
        calls.refuse_persons_acts(entries)
        self._record.add(*entries)

    def stream(self, piece: Streamed) -> None:
        """Tell the front end something that is not recorded."""
        self._record.tell(piece)

    def may_read(self, path: str) -> bool:
        """Whether a file may be read: it lies in the person's project, or the person named it; secrets by name only."""
        return reach.may_read(path, self.state)

    async def call(self, tool: str, arguments: dict[str, Any], call_id: str = "") -> ToolOutcome:
        """Run a tool, with start, end and what it learned on record; a call id runs once, whatever happens.

        Raises:
            Refused: The interview went on elsewhere. All other errors of tools become outcomes that are not ok.
        """
        call_id = call_id or f"call-{self.state.seq + 1}"
        if (recorded := calls.recorded_outcome(self.state, call_id)) is not None:
            return recorded
        started = ToolStarted(call_id=call_id, tool=tool, arguments=arguments)
        self._record.add(started)
        began = self._clock()
        try:
            outcome = await calls.run_tool(self._tools, started, self, self._desk)
            calls.refuse_persons_acts(outcome.entries)
        except BaseException:
            self._record.add(ToolEnded(call_id=call_id, ok=False, result=calls.INTERRUPTED))
            raise
        ended = ToolEnded(
            call_id=call_id, ok=outcome.ok, result=outcome.result, seconds=max(0.0, self._clock() - began)
        )
        self._record.add(*calls.learned(outcome.facts), *outcome.entries, ended)
        if any(isinstance(fact, Capabilities) for fact in outcome.facts):
            self._record.add(*hearing.heard_models(self.state))
        return outcome

    async def say(self, text: str) -> None:
        """Words of the person; what they plainly settle is filled in, then the planner goes on. Raises `Refused`."""
        self._record.add(Said(who="you", text=text), *hearing.heard_entries(text, self.state))
        if (card := self.state.open_card) is not None and answering.is_settled(card, self.state):
            self._record.add(Answered(card_id=card.id, answers=()))
        await self.go_on()

    async def answer(self, card_id: str, answers: Sequence[Answer], *, defaults_for_rest: bool = False) -> None:
        """Answers to the open card, then the planner goes on.

        Raises:
            UsageError: An answer does not fit its question; nothing was recorded.
            Refused: That card is not open, or the interview went on elsewhere.
        """
        card = self.state.open_card
        if card is None or card.id != card_id:
            raise Refused("that question is not open any more", where=card_id)
        filled = answering.entries_for(card, answers, self.state)
        self._record.add(
            Answered(card_id=card_id, answers=tuple(answers), defaults_for_rest=defaults_for_rest), *filled
        )
        await self.go_on()

    async def set_value(self, path: KeyPath, value: object, *, reason: str = "") -> None:
        """Set a value by hand; the planner does not go on by itself. Raises `UsageError` for what cannot be."""
        self._record.add(answering.filled_by_hand(path, value, self.state, reason=reason))

    async def clear_value(self, path: KeyPath) -> None:
        """Take a value back, so that policy decides again."""
        self._record.add(SlotCleared(path=path))

    async def go_on(self) -> None:
        """Let the current planner work until it is the person's turn; one turn at a time.

        Raises:
            TcaoError: The planner cannot go on; the record says how far it came.
        """
        async with self._turn_lock:
            self._stopped_by_person = False
            self._turn = asyncio.ensure_future(self._take_turn())
            try:
                await self._turn
            except asyncio.CancelledError:
                self._record.add(Interrupted(what="the planner's turn, by the person"))
                if not self._stopped_by_person:
                    raise
            finally:
                self._turn = None

    def switch_planner(self, planner: PlannerName, why: str = "the person chose it") -> None:
        """Let another planner go on from here, with every slot kept. Raises `Refused` when there is no such planner."""
        if planner not in self._planners:
            raise Refused(f"there is no {planner} planner here", next_step="tcao doctor")
        if planner != self.state.planner:
            self._record.add(PlannerChanged(planner=planner, why=why))

    def interrupt(self) -> bool:
        """End the planner's turn; says whether one was running."""
        if self._turn is None:
            return False
        self._stopped_by_person = True
        return self._turn.cancel()

    def approve(self, *, given: str, by: str, max_cost_usd: float | None = None, typed: bool = False) -> Approved:
        """Record a person's consent to exactly the present sheet.

        Args:
            given: The hash that the person saw.
            by: Who, for the record.
            max_cost_usd: The amount that the person typed; needed where anything may cost something.
            typed: Whether the person typed it in a console rather than giving it on a command line.

        Raises:
            PlanInvalid: A gate is not passed; names each finding.
            NeedsInput: The hash or the amount is missing, or is for something else.
            BudgetExceeded: The amount cannot hold what the plan is expected to cost.
        """
        approved = consent.approval(self.sheet, given=given, by=by, max_cost_usd=max_cost_usd, typed=typed)
        self._record.add(approved)
        return approved

    async def launch(self, store: RunStore, runs_root: Path, profile: Profile) -> str:
        """Hand the approved plan to a worker and return the run's id.

        Raises:
            Refused: There is no approval that fits the plan as it stands, or a run has it already.
            TcaoError: The worker's own error.
        """
        approved = consent.standing_approval(self.state, self.sheet)
        run_id = await asyncio.to_thread(self._launcher, store, runs_root, profile, approved)
        self._record.add(RunStarted(run_id=run_id))
        return run_id

    async def _take_turn(self) -> None:
        while True:
            planner = self._planners.get(self.state.planner)
            if planner is None:
                self.switch_planner("rules", f"the {self.state.planner} planner is not there")
                continue
            try:
                await planner.go_on(self)
                return
            except HandOver as handed:
                if planner.name == "rules":
                    raise TcaoError(handed.why) from handed
                self.switch_planner("rules", handed.why)
