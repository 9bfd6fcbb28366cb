"""The fold of an interview's entries: how far it has come. Pure; the same entries always give the same state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tcao_tui.domain.draft import Draft, Filled
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.interview import (
    Answered,
    Approved,
    Asked,
    Entry,
    Interrupted,
    Learned,
    PlannerChanged,
    PlannerName,
    PlanWritten,
    RunStarted,
    SlotCleared,
    SlotFilled,
    Started,
    StoredEntry,
    ToolEnded,
    ToolStarted,
    UnknownEntry,
)
from tcao_tui.domain.questions import Card


@dataclass(frozen=True, slots=True)
class InterviewState:
    """An interview as far as it has come.

    Attributes:
        transcript: All entries in order; what front ends draw.
        draft: What was filled and not taken back.
        open_card: The card that waits for answers.
        asked: Ids of the questions asked so far; `questions` counts them, repeats included.
        use_defaults: The person said "just do it" or "use defaults for the rest": nothing more is asked.
        running_tools: Calls that were started and not ended.
        approved: The approval, until a change of the draft voids it.
        seq: Place of the last entry.
    """

    interview_id: str
    transcript: tuple[StoredEntry, ...] = ()
    profile: str = ""
    directory: str = ""
    planner: PlannerName = "rules"
    forked_from: str = ""
    draft: Draft = field(default_factory=dict[str, Filled])
    facts: Facts = field(default_factory=Facts)
    open_card: Card | None = None
    asked: frozenset[str] = frozenset()
    questions: int = 0
    use_defaults: bool = False
    running_tools: tuple[ToolStarted, ...] = ()
    approved: Approved | None = None
    written: PlanWritten | None = None
    run_id: str = ""
    unknown_entries: int = 0
    seq: int = 0


def fold(state: InterviewState, stored: StoredEntry) -> InterviewState:
    """The state after one more entry."""
    state = replace(state, transcript=(*state.transcript, stored), seq=stored.seq)
    match stored.entry:
        case Started() as started:
            return replace(
                state,
                profile=started.profile,
                directory=started.directory,
                planner=started.planner,
                forked_from=started.forked_from,
            )
        case Asked(card=card):
            ids = {question.id for question in card.questions}
            return replace(
                state, open_card=card, asked=state.asked | ids, questions=state.questions + len(card.questions)
            )
        case Answered() as answered:
            is_open = state.open_card is not None and state.open_card.id == answered.card_id
            return replace(
                state,
                open_card=None if is_open else state.open_card,
                use_defaults=state.use_defaults or answered.defaults_for_rest,
            )
        case SlotFilled(path=path, filled=filled):
            return replace(state, draft={**state.draft, path: filled}, approved=None)
        case SlotCleared(path=path):
            kept = {key: value for key, value in state.draft.items() if key != path}
            return replace(state, draft=kept, approved=None)
        case Learned() as learned:
            return replace(state, facts=_learn(state.facts, learned))
        case _:
            return _fold_process(state, stored.entry)


def _fold_process(state: InterviewState, entry: Entry | UnknownEntry) -> InterviewState:
    match entry:
        case ToolStarted():
            return replace(state, running_tools=(*state.running_tools, entry))
        case ToolEnded(call_id=call_id):
            return replace(state, running_tools=tuple(t for t in state.running_tools if t.call_id != call_id))
        case Interrupted():
            return replace(state, running_tools=())
        case PlannerChanged(planner=planner):
            return replace(state, planner=planner)
        case Approved():
            return replace(state, approved=entry)
        case PlanWritten():
            return replace(state, written=entry)
        case RunStarted(run_id=run_id):
            return replace(state, run_id=run_id)
        case UnknownEntry():
            return replace(state, unknown_entries=state.unknown_entries + 1)
        case _:
            return state


def _learn(facts: Facts, learned: Learned) -> Facts:
    for fact in (learned.profile, learned.overlap, learned.split, learned.capabilities, learned.code):
        if fact is not None:
            facts = facts.with_fact(fact)
    return facts
