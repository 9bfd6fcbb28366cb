"""The planner's screen wired to the real interview; like `intents`, a part of the TUI that calls services.

Opening blocks, so it runs in a thread; what a session does afterwards runs on Textual's loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcao_tui import paths
from tcao_tui.domain.draft import KeyPath
from tcao_tui.domain.interview import PlannerName, StoredEntry
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.questions import Answer
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.open import find_interview, interview_from, new_interview, open_session, read_state
from tcao_tui.planner.port import Streamed
from tcao_tui.planner.session import Outcome, Session
from tcao_tui.services.backends import Profile, resolve_profile
from tcao_tui.store.interviews import InterviewSummary
from tcao_tui.store.sqlite import SqliteStore, open_store
from tcao_tui.tui.interview_port import InterviewWanted

if TYPE_CHECKING:
    from tcao_tui.settings import Settings


@dataclass(frozen=True)
class InterviewDesk:
    """Interviews of one runs root.

    Attributes:
        who: Name of the person, for the record of an approval.
    """

    runs_root: Path
    load_settings: Callable[[], Settings]
    who: Callable[[], str]

    def interviews(self) -> list[InterviewSummary]:
        """All of them, the one that moved last first."""
        store = open_store(self.runs_root)
        try:
            return store.interviews.interviews()
        finally:
            store.close()

    def open(self, wanted: InterviewWanted) -> ConsoleInterview:
        """A new interview in the working directory, or one that goes on where it was begun."""
        store = open_store(self.runs_root)
        try:
            return self._opened(store, wanted)
        except BaseException:
            store.close()
            raise

    def _opened(self, store: SqliteStore, wanted: InterviewWanted) -> ConsoleInterview:
        settings = self.load_settings()
        interview_id, origin = (
            find_interview(store.interviews, reference) if reference else ""
            for reference in (wanted.interview_id, wanted.forked_from)
        )
        backend = wanted.backend
        if known := interview_id or origin:
            backend = backend or read_state(store.interviews, known).profile
        profile = resolve_profile(settings, backend)
        if (start := wanted.start_from) is not None:
            interview_id = interview_from(
                store, self.runs_root, start, settings=settings, profile=profile, directory=Path.cwd()
            )
        session = open_session(
            store,
            self.runs_root,
            settings=settings,
            profile=profile,
            directory=Path.cwd(),
            interview_id=interview_id or None,
            forked_from=origin,
            planner=wanted.planner,
        )
        return ConsoleInterview(session, store, self.runs_root, profile, self.who)


class ConsoleInterview:
    """A session as the planner's screen drives it; see `interview_port.InterviewSession`.

    Args:
        session: The interview.
        store: The run store, closed with it.
        runs_root: Its root.
        profile: Where the plan runs.
        who: Name of the person.
    """

    def __init__(
        self, session: Session, store: SqliteStore, runs_root: Path, profile: Profile, who: Callable[[], str]
    ) -> None:
        self._session, self._store, self._runs_root, self._profile = session, store, runs_root, profile
        self._who = who

    @property
    def state(self) -> InterviewState:
        """The fold of all entries."""
        return self._session.state

    @property
    def sheet(self) -> PlanSheet:
        """The plan as it stands."""
        return self._session.sheet

    def listen(self, on_change: Callable[[], None], on_stream: Callable[[Streamed], None]) -> None:
        """Tell a front end of new entries, and of what only streams past."""

        def tell(news: StoredEntry | Streamed) -> None:
            if isinstance(news, StoredEntry):
                on_change()
            else:
                on_stream(news)

        self._session.listen(tell)

    async def go_on(self) -> None:
        """Let the planner work."""
        await self._session.go_on()

    async def say(self, text: str) -> None:
        """Words of the person that answer no question."""
        await self._session.say(text)

    async def answer(self, card_id: str, answers: Sequence[Answer], *, defaults_for_rest: bool = False) -> None:
        """Answers to the open card."""
        await self._session.answer(card_id, answers, defaults_for_rest=defaults_for_rest)

    def interrupt(self) -> bool:
        """End the planner's turn."""
        return self._session.interrupt()

    async def set_values(self, values: Mapping[KeyPath, Any]) -> None:
        """Values set by hand; the rules planner looks at what they change, an LLM only when it is spoken to."""
        for path, value in values.items():
            if value is None:
                await self._session.clear_value(path)
            else:
                await self._session.set_value(path, value, reason="edited by hand")
        if self.state.open_card is None and self.state.planner == "rules":
            await self._session.go_on()

    def switch_planner(self, planner: PlannerName) -> None:
        """Let the other planner go on."""
        self._session.switch_planner(planner)

    def fork(self) -> str:
        """A new interview with this one's draft and facts."""
        state = self.state
        return new_interview(
            self._store.interviews,
            profile=state.profile,
            directory=Path(state.directory),
            planner=state.planner,
            forked_from=state.interview_id,
        )

    async def approve(self, approval_hash: str, *, max_cost_usd: float | None) -> Outcome:
        """Record consent, write the plan's files, and hand it to a worker where one can carry it out."""
        self._session.approve(given=approval_hash, by=self._who(), max_cost_usd=max_cost_usd, typed=True)
        return await self._session.carry_out(self._store, self._runs_root, self._profile)

    def close(self) -> None:
        """Let the store go."""
        self._session.listen(None)
        self._store.close()


def save_text(name: str, text: str) -> Path:
    """Write a text to a file of the person's state directory, for what a terminal's clipboard does not take."""
    path = paths.state_dir() / "copies" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text, encoding="utf-8")
    return path
