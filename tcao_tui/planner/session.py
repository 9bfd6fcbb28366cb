"""A person's hand on an interview: their words and answers, the planners' turns, consent and launch.

Planners see it as a `RecordedInterview`; everything that is here only a person does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.draft import KeyPath
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.interview import (
    Answered,
    Approved,
    Entry,
    Interrupted,
    PlannerChanged,
    PlannerName,
    PlanWritten,
    RunStarted,
    Said,
    SlotCleared,
)
from tcao_tui.domain.questions import Answer
from tcao_tui.errors import Refused, TcaoError
from tcao_tui.planner import answers as answering
from tcao_tui.planner import consent, hearing, launching
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import HandOver, Planner, Tool
from tcao_tui.planner.recorded import Listener, RecordedInterview
from tcao_tui.registry import Registry
from tcao_tui.services.backends import Profile
from tcao_tui.store.interviews import InterviewStore
from tcao_tui.store.port import RunStore

type Launcher = Callable[[RunStore, Path, Profile, Approved], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an approved plan: where its files stand, and the run that has it, if a worker can."""

    directory: Path
    run_id: str = ""


class Session(RecordedInterview):
    """One console's hand on an interview.

    Everything happens on the event loop that calls `go_on`, `say` and `answer`; cancelling one of them, or
    `interrupt`, ends the planner's turn and leaves a consistent record.

    Args:
        store, interview_id, desk, tools, facts, listener, clock: As for `RecordedInterview`.
        planners: By name; "rules" is always there.
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
        launcher: Launcher = launching.launch_approved,
    ) -> None:
        super().__init__(
            store, interview_id, desk=desk, tools=tools, facts=facts or Facts(), listener=listener, clock=clock
        )
        self._planners, self._launcher = planners, launcher
        self._turn_lock = asyncio.Lock()
        self._turn: asyncio.Future[None] | None = None
        self._stopped_by_person = False

    async def say(self, text: str) -> None:
        """Words of the person; what they plainly settle is filled in, then the planner goes on. Raises `Refused`."""
        heard, card = hearing.heard_entries(text, self.state), self.state.open_card
        closing: list[Entry] = []
        if card is not None and answering.is_settled(card, hearing.draft_after(self.state.draft, heard)):
            closing.append(Answered(card_id=card.id, answers=()))
        self._add(Said(who="you", text=text), *heard, *closing)
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
        self._add(Answered(card_id=card_id, answers=tuple(answers), defaults_for_rest=defaults_for_rest), *filled)
        await self.go_on()

    async def set_value(self, path: KeyPath, value: object, *, reason: str = "") -> None:
        """Set a value by hand; the planner does not go on by itself. Raises `UsageError` for what cannot be."""
        self._add(answering.filled_by_hand(path, value, self.state, reason=reason))

    async def clear_value(self, path: KeyPath) -> None:
        """Take a value back, so that policy decides again."""
        self._add(SlotCleared(path=path))

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
                self._add(Interrupted(what="the planner's turn, by the person"))
                if not self._stopped_by_person:
                    raise
            finally:
                self._turn = None

    def switch_planner(self, planner: PlannerName, why: str = "the person chose it") -> None:
        """Let another planner go on from here, with every slot kept. Raises `Refused` when there is no such planner."""
        if planner not in self._planners:
            raise Refused(f"there is no {planner} planner here", next_step="tcao doctor")
        if planner != self.state.planner:
            self._add(PlannerChanged(planner=planner, why=why))

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
        approved = consent.approval(self.state, self.sheet, given=given, by=by, max_cost_usd=max_cost_usd, typed=typed)
        self._add(approved)
        return approved

    async def carry_out(self, store: RunStore, runs_root: Path, profile: Profile) -> Outcome:
        """Write the approved plan's files, and hand it to a worker where one can carry out its method.

        Raises:
            Refused: There is no approval that fits the plan as it stands, or a run has it already.
            TcaoError: The worker's own error, or that the files cannot be written.
        """
        approved = consent.standing_approval(self.state, self.sheet)
        plan, _ = consent.approved_plan(approved)
        if plan.method in self.state.facts.methods:
            run_id = await self.launch(store, runs_root, profile)
            return Outcome(await self.write_files(runs_root / run_id), run_id)
        return Outcome(await self.write_files(self._desk.work_dir))

    async def launch(self, store: RunStore, runs_root: Path, profile: Profile) -> str:
        """Hand the approved plan to a worker and return the run's id.

        Raises:
            Refused: There is no approval that fits the plan as it stands, or a run has it already.
            TcaoError: The worker's own error.
        """
        approved = consent.standing_approval(self.state, self.sheet)
        run_id = await asyncio.to_thread(self._launcher, store, runs_root, profile, approved)
        self._add(RunStarted(run_id=run_id))
        return run_id

    async def write_files(self, directory: Path) -> Path:
        """Write the approved plan's files into a directory, which is made where it is not there.

        Raises:
            Refused: There is no approval that fits the plan as it stands.
            TcaoError: They cannot be written.
        """
        consent.fitting_approval(self.state, self.sheet)
        files = await asyncio.to_thread(launching.write_files, directory, self.sheet, self.state.facts)
        self._add(PlanWritten(directory=str(directory), files=files))
        return directory

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
