"""An interview with the LLM planner as in production, but for the model: a scripted server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.data_profile import DataProfile, FieldMap, Overlap, Split
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.interview import Entry, PlannerName, StoredEntry, ToolEnded
from tcao_tui.domain.row_preview import RowPreview
from tcao_tui.planner.desk import Desk, OnProgress
from tcao_tui.planner.llm.access import llm_opener
from tcao_tui.planner.llm.planner import LlmPlanner
from tcao_tui.planner.open import new_interview
from tcao_tui.planner.port import Countdown, Interview, Planner, Streamed, TextDelta
from tcao_tui.planner.scrubber import Scrubber
from tcao_tui.planner.session import Session
from tcao_tui.planner.tools import TOOLS
from tcao_tui.settings import PlannerSettings, Settings
from tcao_tui.store.memory_interviews import MemoryInterviews
from tests.fakes import known_facts
from tests.fakes.anthropic_stub import AnthropicStub, Script

KEY = "sk-ant-canary-0123456789abcdef"
ROWS = {"train.jsonl": 2000, "val.jsonl": 100, "test.jsonl": 200}


class ParkedRules:
    """A rules planner that does nothing: tests only look at whether it was handed the interview."""

    name: ClassVar[PlannerName] = "rules"

    def __init__(self) -> None:
        self.turns = 0

    async def go_on(self, interview: Interview) -> None:
        self.turns += 1


@dataclass
class LabDesk:
    """Services with the answers of `known_facts`; counts what was asked."""

    folder: Path
    says: Mapping[str, Any] = field(default_factory=dict[str, Any])
    asked: list[str] = field(default_factory=list[str])
    run: dict[str, object] = field(default_factory=dict[str, object])
    hold: Callable[[], None] = lambda: None
    models: Capabilities = field(default_factory=known_facts.capabilities)

    def inspect(
        self,
        path: Path,
        *,
        fields: FieldMap | None = None,
        model: ModelInfo | None = None,
        renderer: str | None = None,
        max_seq_len: int = 4096,
        on_progress: OnProgress | None = None,
    ) -> DataProfile:
        self.hold()
        if on_progress is not None:
            on_progress(1, 2)
        self.asked.append(f"inspect {path.name}")
        rows = ROWS.get(path.name, 10)
        tokens = None if model is None else known_facts.tokens(max_seq_len=max_seq_len, rows_measured=rows)
        return known_facts.profile(path, rows, tokens=tokens, **self.says)

    def overlap(
        self, left: Path, right: Path, *, left_fields: FieldMap | None = None, right_fields: FieldMap | None = None
    ) -> Overlap:
        self.asked.append(f"overlap {left.name} {right.name}")
        found = known_facts.overlap(right, ROWS.get(right.name, 10))
        return found.model_copy(update={"left": left, "left_sha256": f"sha-of-{left.name}"})

    def split(
        self, source: Path, into: Path, *, validation: int, test: int, seed: int = 0, fields: FieldMap | None = None
    ) -> Split:
        raise NotImplementedError

    def preview(
        self,
        path: Path,
        row: int,
        *,
        fields: FieldMap | None = None,
        model: ModelInfo,
        renderer: str | None = None,
        max_seq_len: int = 4096,
    ) -> RowPreview:
        raise NotImplementedError

    def as_desk(self) -> Desk:
        return Desk(
            inspect=self.inspect,
            preview=self.preview,
            overlap=self.overlap,
            split=self.split,
            capabilities=lambda: self.models,
            read_run=lambda _: self.run,
            work_dir=self.folder,
        )


@dataclass
class Lab:
    """Everything of one interview."""

    store: MemoryInterviews
    interview_id: str
    session: Session
    stub: AnthropicStub
    desk: LabDesk
    rules: ParkedRules
    planner: Planner
    slept: list[float]
    streamed: list[Streamed]
    planner_of: Callable[[str], Planner]

    @property
    def entries(self) -> list[Entry]:
        return [stored.entry for stored in self.session.state.transcript if stored.entry.kind != "unknown"]

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.entries]

    def result(self, call_id: str) -> ToolEnded:
        return next(e for e in self.entries if isinstance(e, ToolEnded) and e.call_id == call_id)

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.streamed if isinstance(piece, TextDelta))

    @property
    def countdowns(self) -> list[Countdown]:
        return [piece for piece in self.streamed if isinstance(piece, Countdown)]

    def again(self) -> Session:
        """The same interview in another console, after this one is gone."""
        planners: dict[PlannerName, Planner] = {"rules": self.rules, "llm": self.planner}
        return Session(
            self.store,
            self.interview_id,
            desk=self.desk.as_desk(),
            planners=planners,
            tools=TOOLS,
            facts=installed(),
            listener=self._listen,
            clock=lambda: 1.0,
        )

    def _listen(self, heard: StoredEntry | Streamed) -> None:
        if not isinstance(heard, StoredEntry):
            self.streamed.append(heard)


def installed() -> Facts:
    known = known_facts.facts()
    return Facts(graders=known.graders, methods=known.methods)


@asynccontextmanager
async def llm_lab(
    folder: Path,
    script: Script,
    *,
    environ: Mapping[str, str] | None = None,
    can_ask: bool = True,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    **chosen: Any,
) -> AsyncIterator[Lab]:
    """An interview in `folder`, whose model follows a script; waits take no time and are kept in `slept`."""
    for name in ROWS:
        (folder / name).write_text('{"input": "a", "output": "b"}\n')
    store, desk, rules = MemoryInterviews(), LabDesk(folder / "work"), ParkedRules()
    slept: list[float] = []

    async def no_sleep(seconds: float) -> None:
        slept.append(seconds)

    async with AnthropicStub(script) as stub:
        settings = PlannerSettings(
            **{"base_url": stub.url, "key_env": "LAB_KEY", "strict": True, "cache": True, "thinking": "summarized"}
            | chosen
        )
        environ = {"LAB_KEY": KEY, **(environ or {})}

        def planner_of(model: str) -> LlmPlanner:
            own = settings.model_copy(update={"model": model})
            opener = llm_opener(Settings(planner=own), environ)
            return LlmPlanner(opener, TOOLS, own, Scrubber(environ), can_ask=can_ask, sleep=sleep or no_sleep)

        planner = planner_of(settings.model)
        interview_id = new_interview(store, profile="lab", directory=folder, planner="llm", clock=lambda: 1.0)
        unopened: Any = None
        lab = Lab(store, interview_id, unopened, stub, desk, rules, planner, slept, [], planner_of)
        lab.session = lab.again()
        yield lab
