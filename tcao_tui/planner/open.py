"""Opening an interview: a new one, one that goes on, or a fork, with its desk wired to the real services."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.facts import Fact, Facts
from tcao_tui.domain.interview import Entry, PlannerName, SlotFilled, Started
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.errors import Refused, UsageError
from tcao_tui.graders import GRADERS
from tcao_tui.methods import METHODS
from tcao_tui.planner.calls import learned
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.llm.access import llm_planner
from tcao_tui.planner.port import Planner
from tcao_tui.planner.recorded import Listener
from tcao_tui.planner.rules.planner import RulesPlanner
from tcao_tui.planner.run_reports import read_run
from tcao_tui.planner.session import Session
from tcao_tui.planner.tools import TOOLS
from tcao_tui.services.backends import Profile
from tcao_tui.services.llm_choice import why_no_llm
from tcao_tui.services.start_from import fork_values
from tcao_tui.settings import Settings
from tcao_tui.store.interviews import InterviewStore
from tcao_tui.store.port import RunStore

FOLDER_NAME = "interviews"
"""Folder below the runs root in which interviews write files, one folder each."""


def open_session(
    store: RunStore,
    runs_root: Path,
    *,
    settings: Settings,
    profile: Profile,
    directory: Path,
    interview_id: str | None = None,
    forked_from: str = "",
    planner: PlannerName | None = None,
    can_ask: bool = True,
    listener: Listener | None = None,
    environ: Mapping[str, str] | None = None,
) -> Session:
    """An interview with everything it needs; nothing is asked of a server or a model yet.

    Args:
        store: The run store.
        runs_root: Its root.
        settings: Who interviews, and with which LLM.
        profile: Where the plan would run.
        directory: The person's project: files below it may be read.
        interview_id: The interview to go on with; None starts a new one.
        forked_from: The interview whose draft and facts a new one starts with; empty for none.
        planner: Who interviews; None leaves it as it is, or to the settings.
        can_ask: Whether a person is there to answer.
        listener: Told each new entry, and what only streams past.
        environ: Where keys are looked for; our own when None.

    Raises:
        TcaoError: There is no such interview, it is for another backend, or there is no such planner here.
    """
    planners = _planners(settings, planner, can_ask, os.environ if environ is None else environ)
    if interview_id is None:
        chosen: PlannerName = planner or ("llm" if "llm" in planners else "rules")
        interview_id = new_interview(
            store.interviews, profile=profile.name, directory=directory, planner=chosen, forked_from=forked_from
        )
    desk = real_desk(store, runs_root, profile, interview_id)
    session = Session(
        store.interviews, interview_id, desk=desk, planners=planners, tools=TOOLS, facts=installed(), listener=listener
    )
    _require_backend(session, profile)
    if planner is not None:
        session.switch_planner(planner)
    return session


def _require_backend(session: Session, profile: Profile) -> None:
    """An interview stays with the backend whose models and prices it was told."""
    if session.state.profile != profile.name:
        raise Refused(
            f"this interview plans for {session.state.profile}, not for {profile.name}",
            where=session.state.interview_id,
            next_step=f"tcao plan --fork {session.state.interview_id} --backend {profile.name}",
        )


def _planners(
    settings: Settings, wanted: PlannerName | None, can_ask: bool, environ: Mapping[str, str]
) -> Mapping[PlannerName, Planner]:
    """Who can interview here. Raises `Refused` when the one that is wanted cannot."""
    planners: dict[PlannerName, Planner] = {"rules": RulesPlanner()}
    if (why_not := why_no_llm(settings, environ)) is None:
        planners["llm"] = llm_planner(settings, TOOLS, environ, can_ask=can_ask)
    elif wanted == "llm":
        raise Refused("the LLM planner is not there", where="--planner llm", next_step=why_not)
    return planners


def new_interview(
    store: InterviewStore,
    *,
    profile: str,
    directory: Path,
    planner: PlannerName,
    forked_from: str = "",
    given: Mapping[KeyPath, Filled] | None = None,
    clock: Callable[[], float] = time.time,
) -> str:
    """Make an interview known and return its id, `YYYYmmdd-HHMMSS-<4 hex>`, UTC.

    A fork starts with draft and facts of another; `given` are values that one starts with.
    """
    now = clock()
    interview_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(2)}"
    entries: list[Entry] = [
        Started(profile=profile, directory=str(directory.absolute()), planner=planner, forked_from=forked_from)
    ]
    if forked_from:
        entries += _kept(read_state(store, forked_from), profile)
    entries += [SlotFilled(path=path, filled=filled) for path, filled in (given or {}).items()]
    store.create_interview(interview_id, at=now)
    store.append(interview_id, entries, after=0, at=now)
    return interview_id


def interview_from(
    store: RunStore,
    runs_root: Path,
    checkpoint: ListedCheckpoint,
    *,
    settings: Settings,
    profile: Profile,
    directory: Path,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Make a new interview whose plan starts from a checkpoint; returns its id. Arguments are those of `open_session`.

    Raises:
        UsageError: The checkpoint holds no training state.
    """
    return new_interview(
        store.interviews,
        profile=profile.name,
        directory=directory,
        planner="rules" if why_no_llm(settings, os.environ if environ is None else environ) else "llm",
        given=fork_values(runs_root, checkpoint),
    )


def read_state(store: InterviewStore, interview_id: str) -> InterviewState:
    """An interview as far as it has come, without a hand on it. Raises `UsageError` when there is none."""
    state = InterviewState(interview_id, facts=installed())
    for stored in store.entries(interview_id):
        state = fold(state, stored)
    return state


def find_interview(store: InterviewStore, reference: str) -> str:
    """The id meant by an id, a unique beginning of one, or `latest`. Raises `UsageError`."""
    ids = [summary.interview_id for summary in store.interviews()]
    if reference == "latest" and ids:
        return ids[0]
    matching = [one for one in ids if one.startswith(reference)]
    if reference in ids or len(matching) == 1:
        return reference if reference in ids else matching[0]
    if matching:
        raise UsageError(f"{reference} may be {', '.join(matching[:5])}", next_step="give more of the id")
    store.entries(reference)  # raises with the ids that look like it
    return reference


def installed() -> Facts:
    """What is known before anything was asked: the installed graders and methods."""
    return Facts(graders=tuple(GRADERS.names()), methods=tuple(METHODS.names()))


def real_desk(store: RunStore, runs_root: Path, profile: Profile, interview_id: str) -> Desk:
    """The services behind the tools."""
    from tcao_tui.services import inspection, models

    return Desk(
        inspect=inspection.inspect,
        preview=inspection.preview,
        overlap=inspection.overlap,
        split=inspection.split,
        capabilities=partial(models.capabilities, profile),
        read_run=partial(read_run, store, runs_root),
        work_dir=runs_root / FOLDER_NAME / interview_id,
    )


def _kept(state: InterviewState, profile: str) -> list[Entry]:
    """What a fork takes over; the models of another backend are asked for anew."""
    facts: list[Fact] = [*state.facts.profiles, *state.facts.overlaps, *state.facts.splits]
    if state.facts.capabilities is not None and state.profile == profile:
        facts.append(state.facts.capabilities)
    return [*(SlotFilled(path=path, filled=filled) for path, filled in state.draft.items()), *learned(facts)]
