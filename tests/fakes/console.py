"""Fake ports for the console: views and rows that tests set, requests that tests read."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tcao_tui.domain.comparison import Comparison
from tcao_tui.domain.diagnosis import Diagnosis, diagnose
from tcao_tui.domain.events import Verb
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.rollouts import RolloutGroup
from tcao_tui.domain.run_view import RunSummary, RunView
from tcao_tui.domain.setting_request import SettingRequest
from tcao_tui.domain.sweep_table import FollowedSweep
from tcao_tui.domain.training_events import RolloutsTaken
from tcao_tui.errors import TcaoError
from tcao_tui.store.chats import ChatSummary
from tcao_tui.store.interviews import InterviewSummary
from tcao_tui.tui.chat_port import ChatTalk, ChatWanted
from tcao_tui.tui.evals_port import EvalsWanted, EvaluationsPort
from tcao_tui.tui.interview_port import InterviewSession, InterviewWanted
from tcao_tui.tui.ports import CheckpointsPort, ExpiryPort, NoticesPort, PlanPreview, Ports, WatchedRun
from tests.fakes.compared_runs import compared_runs
from tests.fakes.interview_console import FakeSession
from tests.fakes.listed_checkpoints import FakeCheckpoints
from tests.fakes.method_views import rollouts
from tests.fakes.shown_evaluations import FakeEvaluations
from tests.fakes.views import STARTED_AT, running


class FakeSource:
    """A view source whose view a test sets."""

    def __init__(self, view: RunView) -> None:
        self.view = view
        self.caught_up = True
        self.polls = 0
        self.closed = False
        self.error: Exception | None = None

    def poll(self) -> RunView:
        self.polls += 1
        if self.error is not None:
            raise self.error
        return self.view

    def close(self) -> None:
        self.closed = True


class FakeRuns:
    """A run list whose rows a test sets."""

    def __init__(self, rows: list[RunSummary]) -> None:
        self.all = rows
        self.marker = 0
        self.queries = 0

    def changes(self) -> Hashable:
        return self.marker

    def rows(self) -> list[RunSummary]:
        self.queries += 1
        return list(self.all)

    def close(self) -> None:
        pass


class FakeSweeps:
    """Sweeps that a test sets."""

    def __init__(self, *sweeps: FollowedSweep) -> None:
        self.all = list(sweeps)
        self.polls = 0
        self.closed = False

    def poll(self) -> list[FollowedSweep]:
        self.polls += 1
        return list(self.all)

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeConsole:
    """Everything the console may ask for; `asked` is what it did ask."""

    source: FakeSource = field(default_factory=lambda: FakeSource(running()))
    runs: FakeRuns = field(default_factory=lambda: FakeRuns([]))
    asked: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    log: str = "worker: ready\nworker: WARNING slow server\n"
    is_free: bool = True
    refusal: TcaoError | None = None
    session: FakeSession = field(default_factory=FakeSession)
    summaries: list[InterviewSummary] = field(default_factory=list[InterviewSummary])
    plan: Plan | None = None
    saved: dict[str, str] = field(default_factory=dict[str, str])
    notices: NoticesPort | None = None
    expiry: ExpiryPort | None = None
    talk: ChatTalk | None = None
    kept_chats: list[ChatSummary] = field(default_factory=list[ChatSummary])
    sweeps: FakeSweeps = field(default_factory=lambda: FakeSweeps())
    evaluations: FakeEvaluations = field(default_factory=lambda: FakeEvaluations())
    checkpoints: FakeCheckpoints = field(default_factory=lambda: FakeCheckpoints())

    def ports(self) -> Ports:
        return Ports(
            open_runs=lambda: self.runs,
            open_run=self.open_run,
            control=self.control,
            resume=self.resume,
            go_back=self.go_back,
            preview=self.preview,
            launch=self.launch,
            demo=lambda: self._note("demo") or "run-demo",
            interviews=lambda: self.summaries,
            open_interview=self.open_interview,
            save_text=self.save_text,
            rollouts=self.rollouts,
            diagnose=self.diagnose,
            change=self.change,
            compare=self.compare,
            open_sweeps=lambda: self.sweeps,
            open_chat=self.open_chat,
            chats=lambda: self.kept_chats,
            open_notices=self.open_notices,
            open_expiry=self.open_expiry,
            open_checkpoints=self.open_checkpoints,
            open_evaluations=self.open_evaluations,
            clock=lambda: STARTED_AT,
        )

    def _note(self, *what: str) -> None:
        self.asked.append(what)
        if self.refusal is not None:
            raise self.refusal

    def open_run(self, ref: str) -> WatchedRun:
        self.asked.append(("open", ref))
        return WatchedRun(self.source, lambda: self.log, lambda: () if self.plan is None else stage_plans(self.plan))

    def open_interview(self, wanted: InterviewWanted) -> InterviewSession:
        self._note("interview", wanted.interview_id, wanted.opening)
        return self.session

    def save_text(self, name: str, text: str) -> Path:
        self.saved[name] = text
        return Path("state") / "copies" / name

    def diagnose(self, view: RunView) -> Diagnosis:
        self._note("diagnose", view.run_id)
        return diagnose(view, now=view.updated_at + 1)

    def change(self, run_id: str, request: SettingRequest) -> str:
        self._note("change", run_id, f"{request.key}={request.value:g}", request.why)
        return f"Asked for {request.key}."

    def compare(self, run_ids: Sequence[str]) -> Comparison:
        self._note("compare", *run_ids)
        return compared_runs(*run_ids)

    def rollouts(self, run_id: str, taken: RolloutsTaken) -> list[RolloutGroup]:
        self._note("rollouts", run_id, str(taken.step))
        return rollouts(taken.step)

    def open_chat(self, wanted: ChatWanted) -> ChatTalk:
        self._note("chat", *wanted.contenders, wanted.chat_id)
        assert self.talk is not None
        return self.talk

    def open_notices(self) -> NoticesPort | None:
        return self.notices

    def open_expiry(self) -> ExpiryPort | None:
        return self.expiry

    def open_checkpoints(self, backend: str) -> CheckpointsPort:
        self.asked.append(("checkpoints", backend))
        return self.checkpoints

    def open_evaluations(self, wanted: EvalsWanted) -> EvaluationsPort:
        self.asked.append(("evaluations", wanted.ref, *(str(path) for path in wanted.logs)))
        return self.evaluations

    def control(self, run_id: str, verb: Verb) -> str:
        self._note("control", run_id, verb)
        return f"Asked to {verb}."

    def resume(self, run_id: str) -> str:
        self._note("resume", run_id)
        return "Attempt 2 has the run."

    def go_back(self, run_id: str, path: str) -> str:
        self._note("go back", run_id, path)
        return "Attempt 2 goes on from step 40."

    def preview(self, path: Path) -> PlanPreview:
        self._note("preview", str(path))
        return PlanPreview(
            path=path,
            name="tickets",
            facts=(("method", "sft, LoRA rank 16"), ("model", "tcao/tiny-qwen3"), ("backend", "local")),
            estimate=(("cost", "$0.00, this backend is free" if self.is_free else "$4.20 expected, $3 to $6"),),
            problems=(),
            is_free=self.is_free,
            handle=None,
        )

    def launch(self, preview: PlanPreview) -> str:
        self._note("launch", preview.name)
        return "run-new"
