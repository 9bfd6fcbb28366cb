"""An interview without a terminal: answers come from a file, and from defaults only where they were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.questions import Answer, Card, Question
from tcao_tui.domain.slots import SLOTS
from tcao_tui.errors import NeedsInput, PlanInvalid
from tcao_tui.planner import answers as answering
from tcao_tui.planner import plan_keys

if TYPE_CHECKING:
    from tcao_tui.planner.session import Session


class NeedsAnswer(NeedsInput):
    """A question has no answer, and nobody is there to be asked."""

    title = "Needs an answer"


def read_answers(path: Path) -> dict[str, Any]:
    """Answers by slot name or key path.

    Raises:
        PlanInvalid: It is no mapping, or names neither a slot nor a key of the plan; names the nearest.
    """
    try:
        read: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanInvalid(f"the answers cannot be read: {one_line(str(error), 200)}", where=str(path)) from error
    if not isinstance(read, Mapping):
        raise PlanInvalid("answers are a mapping of slot names or key paths to values", where=str(path))
    given = {str(key): value for key, value in read.items()}
    known = [*(slot.name for slot in SLOTS), *plan_keys.known_paths()]
    for key in given:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"slots: {', '.join(slot.name for slot in SLOTS)}"
            raise PlanInvalid(f"no slot and no key is called {one_line(key, 60)!r}; {hint}", where=str(path))
    return given


class AnsweredInterview:
    """Carries an interview as far as its answers reach.

    Args:
        session: The interview.
        answers: By slot name or key path.
        takes_defaults: Whether questions without an answer take their default.
    """

    def __init__(self, session: Session, answers: Mapping[str, Any], *, takes_defaults: bool) -> None:
        self._session, self._given, self._takes_defaults = session, dict(answers), takes_defaults
        self._answers = dict(answers)

    async def go(self, opening: str) -> None:
        """Answer until nothing is asked any more.

        Args:
            opening: First words of the person; empty for none.

        Raises:
            NeedsAnswer: A question has no answer; names its slot.
            UsageError: An answer does not fit.
        """
        for name in [name for name, value in self._answers.items() if not _waits(name, value)]:
            await self._fill(name, self._answers.pop(name))
        await (self._session.say(opening) if opening else self._session.go_on())
        await self._answer_all()
        for name in list(self._answers):
            await self._fill(name, self._answers.pop(name))
            await self._session.go_on()
        await self._answer_all()

    async def _answer_all(self) -> None:
        while (card := self._session.state.open_card) is not None:
            given = [self._answer(question) for question in card.questions]
            missing = [q for q, answer in zip(card.questions, given, strict=True) if answer is None]
            if missing:
                raise _unanswered(card, missing)
            answers = [answer for answer in given if answer is not None]
            await self._session.answer(card.id, answers, defaults_for_rest=self._takes_defaults)

    def _answer(self, question: Question) -> Answer | None:
        if question.id in self._answers and not question.quotes:
            return Answer(question=question.id, value=self._answers.pop(question.id))
        # What is offered again was meant, whatever is quoted against it.
        if any(option.value == self._given.get(question.id) for option in question.options):
            return Answer(question=question.id, value=self._given[question.id])
        if self._takes_defaults and question.default is not None:
            return Answer(question=question.id, defaulted=True)
        return None

    async def _fill(self, name: str, value: object) -> None:
        for path, one in answering.slot_values(name, value, self._session.state).items():
            await self._session.set_value(path, one, reason=f"your answers file: {name}")


def _waits(name: str, value: object) -> bool:
    """Whether an answer needs what tools find out first: the models' names, or rows to hold out."""
    return name == "model" or (name == "evals" and value == answering.HOLD_OUT)


def _unanswered(card: Card, missing: list[Question]) -> NeedsAnswer:
    asked = "; ".join(f"{question.id} ({one_line(question.text)})" for question in missing)
    quotes = [one_line(quote) for question in missing for quote in question.quotes]
    told = f"; {'; '.join(quotes)}" if quotes else ""
    has_defaults = all(question.default is not None for question in missing)
    return NeedsAnswer(
        f"no answer to {asked}{told}",
        where=missing[0].id,
        next_step="--defaults, or answer it in --answers FILE" if has_defaults else "answer it in --answers FILE",
    )
