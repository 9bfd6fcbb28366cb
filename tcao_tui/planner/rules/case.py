"""What the rules planner looks at when it decides: state, sheet and the files nearby, in the words of its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.data_profile import METHOD_KINDS, DataProfile
from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.interview import (
    Answered,
    Asked,
    Interrupted,
    PlannerChanged,
    Said,
    SlotCleared,
    SlotFilled,
    ToolEnded,
    ToolStarted,
)
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.questions import QUESTIONS_IN_ALL
from tcao_tui.domain.row_tokens import profile_of
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.calls import INTERRUPTED


@dataclass(frozen=True, slots=True)
class Tried:
    """How a tool call with exactly these arguments ended last."""

    outcome: Literal["ok", "failed"]
    errors: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Case:
    """One moment of an interview.

    Attributes:
        files: Data files in the project.
    """

    state: InterviewState
    sheet: PlanSheet
    files: tuple[Path, ...] = ()

    def text(self, path: KeyPath) -> str:
        """The text at a key path of the completed draft, "" when there is none."""
        filled = self.sheet.draft.get(path)
        return filled.value if filled is not None and isinstance(filled.value, str) else ""

    def filled(self, path: KeyPath) -> Filled | None:
        """What somebody, not policy, decided there."""
        return self.state.draft.get(path)

    @cached_property
    def train(self) -> DataProfile | None:
        """What is known of the training file; the train part of a split is known by its source."""
        return profile_of(self.state.facts, self.text("training.train_file") or None)

    @cached_property
    def subject(self) -> Subject | None:
        """The plan as the gates look at it, once its values are all of their kind."""
        return None if self.sheet.plan is None else Subject(self.sheet.plan, self.state.facts)

    @cached_property
    def used(self) -> frozenset[str]:
        """Files that have a use already, and what a split came from."""
        named = [self.text(key) for key in ("training.train_file", "training.val_file", "evals.score.file")]
        return frozenset([*named, *(str(split.source) for split in self.state.facts.splits)]) - {""}

    @cached_property
    def given_file(self) -> Path | None:
        """The training file that the person gave, whatever copies and splits were made of it."""
        entries = (stored.entry for stored in reversed(self.state.transcript))
        named = (e.filled for e in entries if isinstance(e, SlotFilled) and e.path == "training.train_file")
        return next((Path(str(filled.value)) for filled in named if filled.by == "you"), None)

    @property
    def is_paid(self) -> bool:
        """Whether training here may cost something."""
        offered = self.state.facts.capabilities
        return offered is not None and not offered.is_free

    @property
    def room(self) -> int:
        """Questions that may still be asked."""
        return max(0, QUESTIONS_IN_ALL - self.state.questions)

    def misfit(self, method: Filled) -> bool:
        """Whether the rows are not what a method learns from."""
        kinds = METHOD_KINDS.get(str(method.value))
        return self.train is not None and kinds is not None and not set(kinds) & {*self.train.kinds, self.train.kind}

    def times_asked(self, question_id: str) -> int:
        """How often a question was asked."""
        cards = (stored.entry.card for stored in self.state.transcript if isinstance(stored.entry, Asked))
        return sum(question.id == question_id for card in cards for question in card.questions)

    def was_taken_back(self, path: KeyPath) -> bool:
        """Whether a value there was cleared before."""
        return any(
            isinstance(stored.entry, SlotCleared) and stored.entry.path == path for stored in self.state.transcript
        )

    def answered(self, question_id: str) -> object:
        """The person's last answer to a question; None when there is none or it was left to its default."""
        for stored in reversed(self.state.transcript):
            if isinstance(stored.entry, Answered):
                for answer in stored.entry.answers:
                    if answer.question == question_id:
                        return answer.value
        return None

    def tried(self, tool: str, arguments: Mapping[str, Any]) -> Tried | None:
        """How this very call ended; a failure counts until the person does something."""
        wanted, ended = "", None
        for stored in self.state.transcript:
            match stored.entry:
                case ToolStarted(call_id=call_id, tool=name, arguments=given) if name == tool and given == arguments:
                    wanted = call_id
                case ToolEnded(call_id=call_id, ok=True) if call_id == wanted:
                    ended = Tried("ok")
                case ToolEnded(call_id=call_id, result=result) if call_id == wanted and result != INTERRUPTED:
                    ended = Tried("failed", tuple(result.get("errors", ())))
                case _ if _is_an_act(stored.entry) and ended is not None and ended.outcome == "failed":
                    ended = None
                case _:
                    pass
        return ended

    @property
    def is_checked(self) -> bool:
        """Whether the plan was checked since anything changed."""
        checking = ""
        checked = False
        for stored in self.state.transcript:
            match stored.entry:
                case ToolStarted(call_id=call_id, tool="check_plan"):
                    checking = call_id
                case ToolEnded(call_id=call_id, ok=True) if call_id == checking:
                    checked = True
                case SlotFilled() | SlotCleared():
                    checked = False
                case _ if _is_an_act(stored.entry):
                    checked = False
                case _:
                    pass
        return checked

    @property
    def last_words(self) -> str:
        """What the person just said, when nothing came of it; empty otherwise."""
        last = self.state.transcript[-1].entry if self.state.transcript else None
        return last.text if isinstance(last, Said) and last.who == "you" else ""

    def is_said(self, text: str) -> bool:
        """Whether the planner's last words, after which nothing happened, are these."""
        last = self.state.transcript[-1].entry if self.state.transcript else None
        return isinstance(last, Said) and last.who == "planner" and last.text == text


def _is_an_act(entry: object) -> bool:
    """Whether the person did something, after which a failed call may be tried again."""
    match entry:
        case Said(who="you") | Answered() | PlannerChanged() | Interrupted():
            return True
        case SlotFilled(filled=filled):
            return filled.by == "you"
        case SlotCleared():
            return True
        case _:
            return False
