"""A person who answers by slot id, and a whole interview with them: deterministic, without terminal, server or key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.domain.interview import Asked, Said, StoredEntry
from tcao_tui.domain.questions import Answer, Card, Question
from tcao_tui.errors import BackendError, TcaoError
from tcao_tui.planner.open import installed, new_interview
from tcao_tui.planner.rules.planner import RulesPlanner
from tcao_tui.planner.session import Session
from tcao_tui.planner.tools import TOOLS
from tcao_tui.store.memory_interviews import MemoryInterviews
from tests.fakes.interview_desk import LabDesk, local_server, model, paid, paid_server
from tests.scenarios.rows import FileSpec, write

CASES = Path(__file__).parent / "cases"
MOST_CARDS = 12


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Expected(_Part):
    """What must come out.

    Attributes:
        ready: Whether the plan may be approved in the end.
        slots: Values by key path; data files by name, those that a split wrote by the name of their source.
        most_questions: How many may be asked.
        asked, not_asked: Ids of questions that must, or must not be asked.
        quoted: Texts that a question must quote.
        says: Texts that the planner must say or ask.
        max_cost_usd, family, models: Constraints that the plan must keep.
    """

    ready: bool = True
    slots: dict[str, Any] = {}
    most_questions: int = 6
    asked: list[str] = []
    not_asked: list[str] = []
    quoted: list[str] = []
    says: list[str] = []
    max_cost_usd: float | None = None
    family: str | None = None
    stays_local: bool = False


class Scenario(_Part):
    """An interview to come.

    Attributes:
        opening: First words of the person.
        given: Slots that the opening settles: asking for them is redundant.
        answers: What the person knows, by question id.
        later: What they say once nothing is asked any more, one after the other.
        server: "local", "paid", "unknown" prices, "away", or "small" for a paid server of one model.
    """

    name: str
    opening: str = ""
    given: list[str] = []
    files: dict[str, FileSpec] = {}
    outside: dict[str, FileSpec] = {}
    answers: dict[str, Any] = {}
    later: list[str] = []
    persona: Literal["terse", "expert", "contradictory", "don't know", "changes mind", "just do it"] = "terse"
    server: Literal["local", "paid", "unknown", "away", "small"] = "local"
    expect: Expected


@dataclass
class Interviewed:
    """What came of an interview."""

    scenario: Scenario
    session: Session
    desk: LabDesk
    project: Path
    store: MemoryInterviews
    heard: list[StoredEntry] = field(default_factory=list[StoredEntry])

    @property
    def questions(self) -> list[Question]:
        cards = (stored.entry.card for stored in self.session.state.transcript if isinstance(stored.entry, Asked))
        return [question for card in cards for question in card.questions]

    @property
    def said(self) -> str:
        """Everything that the planner said and asked."""
        entries = [stored.entry for stored in self.session.state.transcript]
        words = [entry.text for entry in entries if isinstance(entry, Said) and entry.who == "planner"]
        return "\n".join([*words, *(f"{q.text} {' '.join(q.quotes)}" for q in self.questions)])

    @property
    def redundant(self) -> list[str]:
        """Questions about what was said, what a tool can tell, or what was asked before."""
        state, found, seen = self.session.state, [], set[str]()
        offered = state.facts.capabilities
        for question in self.questions:
            told = question.id in self.scenario.given or question.id in seen
            derivable = offered is not None and (
                (question.id == "budget" and offered.is_free)
                or (question.id == "model" and sum(m.trainable for m in offered.models) == 1)
                or (question.id == "method" and len(question.options) == 1)
            )
            if not question.quotes and (told or derivable):
                found.append(question.id)
            seen.add(question.id)
        return found


def scenarios() -> list[Scenario]:
    """All of them."""
    return [Scenario.model_validate(yaml.safe_load(path.read_text())) for path in sorted(CASES.glob("*.yaml"))]


def prepared(
    scenario: Scenario,
    root: Path,
    *,
    store: MemoryInterviews | None = None,
    server: Capabilities | None = None,
    failures: Mapping[str, TcaoError] | None = None,
) -> Interviewed:
    """The person's project on disk, and an interview in it that did not begin yet."""
    project = root / "project"
    project.mkdir(parents=True, exist_ok=True)
    for name, spec in scenario.files.items():
        write(project / name, spec)
    for name, spec in scenario.outside.items():
        write(root / name, spec)
    desk = LabDesk(root / "work", server or _server(scenario), failures=dict(failures or {}))
    store = store or MemoryInterviews()
    profile = "local" if scenario.server in ("local", "away") else "paid"
    interview_id = new_interview(store, profile=profile, directory=project, planner="rules")
    return Interviewed(scenario, reopened(store, interview_id, desk), desk, project, store)


def reopened(store: MemoryInterviews, interview_id: str, desk: LabDesk) -> Session:
    """A console's hand on an interview that is there."""
    return Session(
        store,
        interview_id,
        desk=desk.desk(),
        planners={"rules": RulesPlanner()},
        tools=TOOLS,
        facts=installed(),
    )


def interviewed(scenario: Scenario, root: Path, **changes: Any) -> Interviewed:
    """The whole interview; `changes` are those of `prepared`."""
    result = prepared(scenario, root, **changes)
    result.session.listen(lambda news: result.heard.append(news) if isinstance(news, StoredEntry) else None)
    asyncio.run(converse(result.session, scenario, root))
    return result


async def converse(session: Session, scenario: Scenario, root: Path) -> None:
    """Say, answer and say more until nothing is asked and nothing is left to say."""
    opening = scenario.opening.replace("{outside}", str(root))
    await (session.say(opening) if opening else session.go_on())
    await answer_all(session, scenario)
    for words in scenario.later:
        await session.say(words)
        await answer_all(session, scenario)


async def answer_all(session: Session, scenario: Scenario) -> None:
    """Answer cards until none is open."""
    for _ in range(MOST_CARDS):
        card = session.state.open_card
        if card is None:
            return
        await session.answer(card.id, answers_to(card, scenario))
    raise AssertionError(f"more than {MOST_CARDS} cards")


def answers_to(card: Card, scenario: Scenario) -> list[Answer]:
    """What this person answers to a card."""
    return [_answer(question, scenario.answers, scenario.persona) for question in card.questions]


def _answer(question: Question, known: Mapping[str, Any], persona: str) -> Answer:
    if question.id in known:
        value = known[question.id]
        return Answer(
            question=question.id, value=value[min(len(question.quotes), 1)] if isinstance(value, list) else value
        )
    if question.default is None:
        raise AssertionError(f"asked for {question.id}, which this person does not know: {question.text}")
    return Answer(question=question.id, value="don't know" if persona == "don't know" else None, defaulted=True)


def _server(scenario: Scenario) -> Capabilities | TcaoError:
    match scenario.server:
        case "local":
            return local_server()
        case "paid":
            return paid_server()
        case "small":
            return paid_server(model("Qwen/Qwen3-8B", 8, price=paid(0.4)))
        case "unknown":
            return paid_server(train_usd=None)
        case "away":
            return BackendError("the local engine does not start", next_step="tcao doctor")
