"""Opening an interview: a new one, one that goes on, or a fork, with its desk wired to the real services."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tcao_tui.domain.facts import Facts
from tcao_tui.domain.interview import Entry, PlannerName, SlotFilled, Started
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.errors import UsageError
from tcao_tui.graders import GRADERS
from tcao_tui.methods import METHODS
from tcao_tui.planner.calls import learned
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.port import Planner
from tcao_tui.planner.session import Listener, Session
from tcao_tui.planner.tools import TOOLS
from tcao_tui.store.interviews import InterviewStore


def new_interview(
    store: InterviewStore,
    *,
    profile: str,
    directory: Path,
    planner: PlannerName,
    forked_from: str = "",
    clock: Callable[[], float] = time.time,
) -> str:
    """Make an interview known and return its id, `YYYYmmdd-HHMMSS-<4 hex>`, UTC; a fork starts with draft and facts."""
    now = clock()
    interview_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(2)}"
    entries: list[Entry] = [
        Started(profile=profile, directory=str(directory.absolute()), planner=planner, forked_from=forked_from)
    ]
    if forked_from:
        entries += _kept(read_state(store, forked_from))
    store.create_interview(interview_id, at=now)
    store.append(interview_id, entries, after=0, at=now)
    return interview_id


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
    if reference in ids or len(matching) != 1:
        store.entries(reference, after=2**62)  # raises with the nearest ids when there is none
        return reference
    return matching[0]


def installed() -> Facts:
    """What is known before anything was asked: the installed graders and methods."""
    return Facts(graders=tuple(GRADERS.names()), methods=tuple(METHODS.names()))


def session_on(
    store: InterviewStore,
    interview_id: str,
    *,
    desk: Desk,
    planners: Mapping[PlannerName, Planner],
    listener: Listener | None = None,
) -> Session:
    """A hand on an interview that is there."""
    if "rules" not in planners:
        raise UsageError("an interview needs the rules planner")
    return Session(store, interview_id, desk=desk, planners=planners, tools=TOOLS, facts=installed(), listener=listener)


def _kept(state: InterviewState) -> list[Entry]:
    facts = (*state.facts.profiles, *state.facts.overlaps, *state.facts.splits)
    entries: list[Entry] = [SlotFilled(path=path, filled=filled) for path, filled in state.draft.items()]
    entries += learned([*facts, *([state.facts.capabilities] if state.facts.capabilities else [])])
    return entries
