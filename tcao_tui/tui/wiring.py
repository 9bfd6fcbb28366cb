"""The real ports: what screens may ask for, done by the services; only this and `interview_desk` call them.

Services are imported when first needed, in threads: they bring pydantic, SQLite and YAML, which the first paint can do
without.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.errors import Refused
from tcao_tui.tui.ports import CheckpointsPort, ExpiryPort, NoticesPort, PlanPreview, Ports, SweepsPort, WatchedRun
from tcao_tui.tui.sources import OwnedSource, StoreRuns, open_cookbook, stages_of, tail

if TYPE_CHECKING:
    from tcao_tui.domain.comparison import Comparison
    from tcao_tui.domain.diagnosis import Diagnosis
    from tcao_tui.domain.events import Verb
    from tcao_tui.domain.rollouts import RolloutGroup
    from tcao_tui.domain.run_view import RunView
    from tcao_tui.domain.setting_request import SettingRequest
    from tcao_tui.domain.training_events import RolloutsTaken
    from tcao_tui.settings import Settings
    from tcao_tui.store.chats import ChatSummary
    from tcao_tui.store.sqlite import SqliteStore
    from tcao_tui.tui.chat_port import ChatTalk, ChatWanted
    from tcao_tui.tui.evals_port import EvalsWanted, EvaluationsPort
    from tcao_tui.tui.interview_desk import InterviewDesk


def wire(runs_root: Path, load_settings: Callable[[], Settings], cookbook_dir: Path | None = None) -> Ports:
    """The real ports.

    Args:
        runs_root: Directory of the run store.
        load_settings: Reads the person's settings, for the backend of new runs.
        cookbook_dir: A run directory of the tinker-cookbook; opening any run then opens it.
    """
    desk = _Desk(runs_root, load_settings)
    if cookbook_dir is not None:
        return replace(
            wire(runs_root, load_settings),
            open_run=partial(open_cookbook, cookbook_dir),
            control=_only_watched,
            resume=_only_watched,
            go_back=_only_watched,
            diagnose=_diagnose_alone,
            change=_only_watched,
            open_notices=lambda: None,
            open_expiry=lambda: None,
            is_read_only=True,
        )
    return Ports(
        open_runs=lambda: StoreRuns(desk.store()),
        open_run=desk.open_run,
        control=desk.control,
        resume=desk.resume,
        go_back=desk.go_back,
        preview=desk.preview,
        launch=desk.launch,
        demo=desk.demo,
        interviews=lambda: desk.interviews().interviews(),
        open_interview=lambda wanted: desk.interviews().open(wanted),
        save_text=_save_text,
        rollouts=desk.rollouts,
        diagnose=desk.diagnose,
        change=desk.change,
        compare=desk.compare,
        open_sweeps=desk.sweeps,
        open_chat=desk.open_chat,
        chats=desk.chats,
        open_notices=desk.notices,
        open_expiry=desk.expiry,
        open_checkpoints=desk.checkpoints,
        open_evaluations=desk.evaluations,
    )


@dataclass(frozen=True)
class _Desk:
    """The services, each with a store of its own for as long as it works."""

    runs_root: Path
    load_settings: Callable[[], Settings]

    def store(self) -> SqliteStore:
        from tcao_tui.store.sqlite import open_store

        return open_store(self.runs_root)

    def open_run(self, ref: str) -> WatchedRun:
        from tcao_tui.services.follow import Follower
        from tcao_tui.services.runs import find_run

        store = self.store()
        run_id = find_run(store, ref).run_id
        source, run_dir = OwnedSource(Follower(store, run_id), store), self.runs_root / run_id
        return WatchedRun(source, lambda: tail(run_dir / "worker.log"), lambda: stages_of(run_dir))

    def control(self, run_id: str, verb: Verb) -> str:
        from tcao_tui.services import control

        store = self.store()
        try:
            {"stop": control.stop, "pause": control.pause, "resume": control.resume, "checkpoint": control.checkpoint}[
                verb
            ](store, run_id, by=_who())
        finally:
            store.close()
        return f"Asked to {verb}; the worker answers after the step it is in."

    def resume(self, run_id: str) -> str:
        from tcao_tui.domain.run_view import RunStatus
        from tcao_tui.services import launch
        from tcao_tui.services.backends import ensure_engine, resolve_profile
        from tcao_tui.services.runs import find_run

        store = self.store()
        try:
            summary = find_run(store, run_id)
            if summary.status.is_live and summary.status is not RunStatus.LOST:
                return self.control(run_id, "resume")
            ensure_engine(resolve_profile(self.load_settings(), summary.backend))
            started = launch.resume(store, self.runs_root, run_id)
            return f"Attempt {started.attempt} has the run."
        finally:
            store.close()

    def go_back(self, run_id: str, path: str) -> str:
        from tcao_tui.services import go_back
        from tcao_tui.services.backends import ensure_engine, resolve_profile
        from tcao_tui.services.runs import find_run

        with closing(self.store()) as store:
            wanted = go_back.plan_go_back(store, find_run(store, run_id), path)
            ensure_engine(resolve_profile(self.load_settings(), wanted.run.backend))
            started = go_back.go_back(store, self.runs_root, wanted, by=_who())
        return f"Attempt {started.attempt} goes on from step {wanted.record.step}."

    def preview(self, path: Path) -> PlanPreview:
        from tcao_tui.services.backends import resolve_profile
        from tcao_tui.services.plans import load_plan
        from tcao_tui.services.proposals import propose
        from tcao_tui.tui.plan_summary import preview_of

        return preview_of(path, propose(load_plan(path), resolve_profile(self.load_settings())))

    def launch(self, preview: PlanPreview) -> str:
        from tcao_tui.services.proposals import Proposal, carry_out

        proposal = preview.handle
        assert isinstance(proposal, Proposal)
        approval = proposal.consent(proposal.hash, by=_who(), typed=True)
        store = self.store()
        try:
            return carry_out(store, self.runs_root, proposal, approval).run_id
        finally:
            store.close()

    def interviews(self) -> InterviewDesk:
        from tcao_tui.tui.interview_desk import InterviewDesk

        return InterviewDesk(self.runs_root, self.load_settings, _who)

    def diagnose(self, view: RunView) -> Diagnosis:
        from tcao_tui.services.diagnosis import diagnose_run

        with closing(self.store()) as store:
            return diagnose_run(store, self.runs_root, view.run_id)

    def change(self, run_id: str, request: SettingRequest) -> str:
        from tcao_tui.services import control

        with closing(self.store()) as store:
            control.change(store, run_id, request, by=_who())
        return f"Asked for {request.key} {request.value:g}; the worker takes it from the next update on."

    def compare(self, run_ids: Sequence[str]) -> Comparison:
        from tcao_tui.services.compare import compare_runs

        with closing(self.store()) as store:
            return compare_runs(store, self.runs_root, run_ids)

    def sweeps(self) -> SweepsPort:
        from tcao_tui.services.sweep_follow import SweepList

        return SweepList(self.store(), self.runs_root)

    def open_chat(self, wanted: ChatWanted) -> ChatTalk:
        from tcao_tui.tui.chat_desk import open_chat

        return open_chat(self.runs_root, self.load_settings, wanted)

    def chats(self) -> list[ChatSummary]:
        from tcao_tui.services.chat import chat_files

        return chat_files().summaries()

    def checkpoints(self, backend: str) -> CheckpointsPort:
        from tcao_tui.services.backends import resolve_profile
        from tcao_tui.tui.checkpoint_desk import ConsoleCheckpoints

        profile = resolve_profile(self.load_settings(), backend or None)
        return ConsoleCheckpoints(self.store(), self.runs_root, profile)

    def evaluations(self, wanted: EvalsWanted) -> EvaluationsPort:
        from tcao_tui.tui.evals_desk import open_evaluations

        return open_evaluations(self.runs_root, self.load_settings, wanted, by=_who())

    def notices(self) -> NoticesPort | None:
        from tcao_tui.services.notice_source import NoticeSource

        wanted = self.load_settings().notifications
        return NoticeSource(self.store(), wanted.when) if wanted.desktop and wanted.when else None

    @cached_property
    def _expiry(self) -> ExpiryPort:
        from tcao_tui.services.expiry_watch import ExpiryWatch

        return ExpiryWatch(self.store())

    def expiry(self) -> ExpiryPort:
        return self._expiry

    def rollouts(self, run_id: str, taken: RolloutsTaken) -> Sequence[RolloutGroup]:
        from tcao_tui.services.rollouts import read_groups

        return read_groups(self.runs_root / run_id, taken)

    def demo(self) -> str:
        from tcao_tui.services.demo import launch_demo

        store = self.store()
        try:
            return launch_demo(store, self.runs_root, by=_who()).run_id
        finally:
            store.close()


def _save_text(name: str, text: str) -> Path:
    from tcao_tui.tui.interview_desk import save_text

    return save_text(name, text)


def _diagnose_alone(view: RunView) -> Diagnosis:
    """Without a plan, which the cookbook's directories do not have."""
    from tcao_tui.domain.diagnosis import diagnose

    return diagnose(view, now=time.time())


def _only_watched(*_asked: object) -> str:
    raise Refused("this directory is only watched: the program that writes it controls the run")


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "console"
