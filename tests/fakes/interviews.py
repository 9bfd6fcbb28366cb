"""Sessions for tests: in memory, with a planner that a test scripts, and a launcher that only remembers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tcao_tui.domain.interview import Approved, Entry, PlannerName
from tcao_tui.planner.open import installed, new_interview
from tcao_tui.planner.port import Interview, Planner
from tcao_tui.planner.rules.planner import RulesPlanner
from tcao_tui.planner.session import Session
from tcao_tui.planner.tools import TOOLS
from tcao_tui.services.backends import Profile
from tcao_tui.store.interviews import InterviewStore
from tcao_tui.store.memory_interviews import MemoryInterviews
from tcao_tui.store.port import RunStore
from tests.fakes.interview_desk import LabDesk
from tests.scenarios.rows import FileSpec, write


class ScriptedPlanner:
    """A planner whose turns are functions; after the last one it waits for the person."""

    name: ClassVar[PlannerName] = "rules"

    def __init__(self, *turns: Callable[[Interview], Awaitable[None]]) -> None:
        self.turns = list(turns)

    async def go_on(self, interview: Interview) -> None:
        if self.turns:
            await self.turns.pop(0)(interview)


@dataclass
class SessionLab:
    """An interview in a folder with one file, tickets.jsonl.

    Attributes:
        others: Planners besides the rules.
        rows: What the file's rows are.
        launched: Approvals that a worker was started on.
    """

    root: Path
    store: InterviewStore = field(default_factory=MemoryInterviews)
    planner: Planner = field(default_factory=RulesPlanner)
    others: dict[PlannerName, Planner] = field(default_factory=dict[PlannerName, Planner])
    profile: str = "local"
    rows: str = "labels"
    launched: list[Approved] = field(default_factory=list[Approved])
    heard: list[object] = field(default_factory=list[object])

    def __post_init__(self) -> None:
        self.project = self.root / "project"
        write(self.project / "tickets.jsonl", FileSpec(rows=self.rows, count=120))
        self.desk = LabDesk(self.root / "work")
        self.interview_id = new_interview(
            self.store, profile=self.profile, directory=self.project, planner="rules", clock=lambda: 1.0
        )

    def session(self) -> Session:
        """A console's hand on it."""
        return Session(
            self.store,
            self.interview_id,
            desk=self.desk.desk(),
            planners={"rules": self.planner, **self.others},
            tools=TOOLS,
            facts=installed(),
            listener=self.heard.append,
            clock=lambda: 2.0,
            launcher=self.launch,
        )

    def launch(self, store: RunStore, runs_root: Path, profile: Profile, approved: Approved) -> str:
        self.launched.append(approved)
        (runs_root / "run-1").mkdir(parents=True, exist_ok=True)
        return "run-1"

    def kinds(self) -> list[str]:
        """Kinds of the entries on record."""
        return [stored.entry.kind for stored in self.store.entries(self.interview_id)]

    def entries(self, kind: type[Entry]) -> list[Entry]:
        """Entries of one kind on record."""
        return [s.entry for s in self.store.entries(self.interview_id) if isinstance(s.entry, kind)]
