"""A fake interview for the planner's screen: turns that a test scripts, folded as the real ones are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tcao_tui.domain.draft import Filled, KeyPath
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
    SlotFilled,
    StoredEntry,
)
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.domain.questions import Answer
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import TcaoError
from tcao_tui.planner.port import Streamed
from tcao_tui.planner.session import Outcome

STARTED_AT = 1_795_600_000.0
INTERVIEW_ID = "20261125-094640-3f2a"


class Hold:
    """A place in a turn where it waits until the test lets it go on, or interrupts."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def release(self) -> None:
        self.event.set()


Step = Entry | Streamed | Hold | TcaoError


@dataclass
class FakeSession:
    """An interview whose planner follows a script: one list of steps a turn.

    Attributes:
        asked: What the person did, as the screen passed it on.
    """

    script: list[Sequence[Step]] = field(default_factory=list[Sequence[Step]])
    sheet_of: Callable[[InterviewState], PlanSheet] = lambda state: PlanSheet(state.draft, None, (), None, None, None)
    run_id: str = "run-new"
    asked: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    state: InterviewState = field(default_factory=lambda: InterviewState(INTERVIEW_ID))
    closed: bool = False
    worker_error: TcaoError | None = None
    _turn: asyncio.Future[None] | None = None
    _on_change: Callable[[], None] = lambda: None
    _on_stream: Callable[[Streamed], None] = lambda _piece: None
    _sheet: tuple[InterviewState, PlanSheet] | None = None

    @property
    def sheet(self) -> PlanSheet:
        if self._sheet is None or self._sheet[0] is not self.state:
            self._sheet = self.state, self.sheet_of(self.state)
        return self._sheet[1]

    def listen(self, on_change: Callable[[], None], on_stream: Callable[[Streamed], None]) -> None:
        self._on_change, self._on_stream = on_change, on_stream

    def record(self, *entries: Entry) -> None:
        for entry in entries:
            seq = self.state.seq + 1
            stored = StoredEntry(seq=seq, interview_id=INTERVIEW_ID, at=STARTED_AT + seq, entry=entry)
            self.state = fold(self.state, stored)
            self._on_change()

    async def go_on(self) -> None:
        self.asked.append(("go_on",))
        await self._take_turn()

    async def say(self, text: str) -> None:
        self.asked.append(("say", text))
        self.record(Said(who="you", text=text))
        await self._take_turn()

    async def answer(self, card_id: str, answers: Sequence[Answer], *, defaults_for_rest: bool = False) -> None:
        self.asked.append(("answer", card_id, {a.question: a.value for a in answers}, defaults_for_rest))
        self.record(Answered(card_id=card_id, answers=tuple(answers), defaults_for_rest=defaults_for_rest))
        await self._take_turn()

    async def set_values(self, values: Mapping[KeyPath, Any]) -> None:
        self.asked.append(("set", dict(values)))
        for path, value in values.items():
            gone = SlotCleared(path=path)
            self.record(gone if value is None else SlotFilled(path=path, filled=Filled(value=value, by="you")))

    def switch_planner(self, planner: PlannerName) -> None:
        self.record(PlannerChanged(planner=planner, why="the person chose it"))

    def interrupt(self) -> bool:
        self.asked.append(("interrupt",))
        return self._turn is not None and self._turn.cancel()

    def fork(self) -> str:
        return "fork-1"

    async def approve(self, approval_hash: str, *, max_cost_usd: float | None) -> Outcome:
        self.asked.append(("approve", approval_hash, max_cost_usd))
        given = {"approval_hash": approval_hash, "max_cost_usd": max_cost_usd}
        self.record(Approved(how="typed", by="ada", plan={}, quote={}, **given))
        if self.worker_error is not None:
            raise self.worker_error
        self.record(PlanWritten(directory="runs/plans/tickets"))
        if self.run_id:
            self.record(RunStarted(run_id=self.run_id))
        return Outcome(Path("runs/plans/tickets"), self.run_id)

    def close(self) -> None:
        self.closed = True

    async def _take_turn(self) -> None:
        steps = self.script.pop(0) if self.script else ()
        self._turn = asyncio.ensure_future(self._play(steps))
        try:
            await self._turn
        except asyncio.CancelledError:
            self.record(Interrupted(what="the planner's turn, by the person"))
        finally:
            self._turn = None

    async def _play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            match step:
                case Hold():
                    await step.event.wait()
                case TcaoError():
                    raise step
                case _ if hasattr(step, "kind"):
                    self.record(step)
                case _:
                    self._on_stream(step)
            await asyncio.sleep(0)
