"""The planner's screen on a scripted interview, with a clock of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.panes.planner.pane import PlannerPane
from tcao_tui.tui.screens.interview import InterviewScreen
from tcao_tui.tui.widgets.line_view import LineView
from tests.fakes.console import FakeConsole
from tests.fakes.interview_console import FakeSession, Step

Until = Callable[[Pilot[object], Callable[[], bool]], Awaitable[None]]


class Clock:
    """Each look at it is a second later, so that no grace period lasts."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class Lab:
    """The planner's screen on a scripted interview."""

    def __init__(self, console: FakeConsole, until: Until, *script: list[Step], sheet: PlanSheet | None = None) -> None:
        self.until = until
        self.session = console.session = FakeSession(list(script))
        if sheet is not None:
            self.session.sheet_of = lambda _state: sheet
        self.app = TcaoApp(console.ports())
        self.edited: str | None = None

    async def open(self, pilot: Pilot[object], opening: str = "", clock: Clock | None = None) -> None:
        self.app.push_screen(InterviewScreen(InterviewWanted(opening=opening), clock=clock or Clock()))
        await self.until(pilot, lambda: self.is_there and self.pane.session is not None)
        await self.idle(pilot)

    async def idle(self, pilot: Pilot[object]) -> None:
        await self.until(pilot, lambda: not self.pane.is_busy)

    @property
    def is_there(self) -> bool:
        return isinstance(self.app.screen, InterviewScreen) and bool(self.app.screen.query(PlannerPane))

    @property
    def pane(self) -> PlannerPane:
        return self.app.screen.query_one(PlannerPane)

    def text(self, view: str) -> str:
        lines = self.app.screen.query_one(view, LineView).lines
        return "\n".join("".join(text for text, _ink in line) for line in lines)

    @property
    def acts(self) -> list[tuple[object, ...]]:
        return [act for act in self.session.asked if act[0] != "go_on"]
