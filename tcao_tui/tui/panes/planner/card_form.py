"""Answering a card with keys: which question is active, which row the cursor is on, what was given so far. Pure.

Typed text is the composer's; here it only becomes an answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from tcao_tui.domain.questions import Answer, Card, Option, Question
from tcao_tui.domain.slots import slot_named
from tcao_tui.tui.panes.planner.values import value_key, value_text

_MENTION = re.compile(r"(?<!\S)@(\S*[^\s.,;:!?])")


class NotAnAnswer(ValueError):
    """Typed text that does not answer the question; says what would."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line to choose: an option, "type another answer", or "use defaults for the rest"."""

    kind: Literal["option", "other", "rest"]
    option: Option | None = None


@dataclass(frozen=True, slots=True)
class CardForm:
    """A card while it is answered; every change makes a new form.

    Attributes:
        active: Place of the question that keys go to.
        cursor: Row of the active question.
        picked: Options of the active question that are ticked, where many may be.
        given: Answers so far by question.
        defaults_for_rest: The person left the rest to the defaults.
    """

    card: Card
    active: int = 0
    cursor: int = 0
    picked: frozenset[int] = frozenset()
    given: Mapping[str, Answer] = field(default_factory=dict[str, Answer])
    defaults_for_rest: bool = False

    @property
    def question(self) -> Question:
        """The active question."""
        return self.card.questions[self.active]

    @property
    def rows(self) -> tuple[Row, ...]:
        """What can be chosen at the active question."""
        return rows_of(self.question)

    @property
    def row(self) -> Row:
        """The row under the cursor."""
        return self.rows[self.cursor]

    def takes_key(self, key: str) -> bool:
        """Whether a key chooses here while nothing is written; where text may begin with a digit, digits are text."""
        if key.isdigit():
            return self.question.kind in ("one", "many", "file") and self.row.kind != "other"
        return key in ("up", "down", "tab", "shift+tab") or (key == "space" and self.question.kind == "many")

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to answer."""
        return self.defaults_for_rest or all(q.id in self.given for q in self.card.questions)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers in the order of the questions."""
        return tuple(self.given[q.id] for q in self.card.questions if q.id in self.given)

    def moved(self, by: int) -> CardForm:
        """The cursor on another row; it stops at the ends."""
        return replace(self, cursor=min(max(self.cursor + by, 0), len(self.rows) - 1))

    def turned_to(self, place: int) -> CardForm:
        """Another question active, with the cursor on what was answered there."""
        place %= len(self.card.questions)
        question = self.card.questions[place]
        answer = self.given.get(question.id)
        value = question.default if answer is None else answer.value
        keys = [value_key(row.option.value) for row in rows_of(question) if row.option is not None]
        wanted = cast("list[Any]", value) if isinstance(value, list | tuple) and question.kind == "many" else [value]
        picked = frozenset(keys.index(value_key(each)) for each in wanted if value_key(each) in keys)
        at = min(picked, default=0) if answer is not None and question.kind != "many" else 0
        return replace(self, active=place, cursor=at, picked=picked if question.kind == "many" else frozenset())

    def toggled(self) -> CardForm:
        """The option under the cursor ticked or not, where many may be chosen."""
        if self.question.kind != "many" or self.row.kind != "option":
            return self
        return replace(self, picked=self.picked ^ {self.cursor})

    def numbered(self, number: int) -> CardForm:
        """Row `number`, from 1, chosen: an option is taken or ticked, of the others the cursor only goes there."""
        if not 1 <= number <= len(self.rows):
            return self
        there = replace(self, cursor=number - 1)
        if there.row.kind != "option":
            return there
        return there.toggled() if self.question.kind == "many" else there.taken()

    def taken(self) -> CardForm:
        """What Enter does without typed text: takes the row, or the ticked options, and goes on."""
        match self.row:
            case Row(kind="rest"):
                return replace(self, defaults_for_rest=True)
            case Row(kind="other") if self.question.kind != "many":
                return self
            case Row(option=Option(value=value)) if self.question.kind != "many":
                return self._with(value)
            case _:
                options = [row.option for row in self.rows if row.option is not None]
                return self._with([options[place].value for place in sorted(self.picked)])

    def without(self, where: str) -> CardForm:
        """An answer taken back: that of a question, or of the one that fills a key path; else the last one."""
        questions = self.card.questions
        names = [(question.id, *(slot.paths if (slot := slot_named(question.id)) else ())) for question in questions]
        place = next((i for i, each in enumerate(names) if where in each), len(questions) - 1)
        kept = {name: answer for name, answer in self.given.items() if name != questions[place].id}
        return replace(self, given=kept, defaults_for_rest=False).turned_to(place)

    def typed(self, text: str) -> CardForm:
        """Typed text as the answer; an `@file` in it answers the card's open question for a file too.

        Raises:
            NotAnAnswer: The question wants a number, or one of its options.
        """
        question = self.question
        if question.kind == "number":
            return self._with(_number(text))
        for option in question.options:
            if text.strip().casefold() in (option.label.casefold(), value_text(option.value).casefold()):
                return self._with([option.value] if question.kind == "many" else option.value)
        if question.kind in ("one", "many") and not question.free_text:
            raise NotAnAnswer("one of the options answers this; /say TEXT tells the planner something else")
        if question.kind == "file":
            return self._with(text.strip().removeprefix("@").strip("'\""))
        mentioned: list[str] = _MENTION.findall(text)
        given = _MENTION.sub(r"\1", text.strip())
        return self._with([given] if question.kind == "many" else given)._with_file(mentioned)

    def _with_file(self, mentioned: Sequence[str]) -> CardForm:
        asked = (i for i, each in enumerate(self.card.questions) if each.kind == "file" and each.id not in self.given)
        place = next(asked, None)
        return self if place is None or len(mentioned) != 1 else self.turned_to(place)._with(mentioned[0])

    def _with(self, value: object) -> CardForm:
        answer = Answer(question=self.question.id, value=value)
        form = replace(self, given={**self.given, self.question.id: answer})
        count = len(self.card.questions)
        later = [(self.active + step) % count for step in range(1, count + 1)]
        unanswered = next((p for p in later if self.card.questions[p].id not in form.given), None)
        return form if unanswered is None else form.turned_to(unanswered)


def form_of(card: Card) -> CardForm:
    """A card at its first question."""
    return CardForm(card).turned_to(0)


def rows_of(question: Question) -> tuple[Row, ...]:
    """What can be chosen: the options, the recommended one first; a default where there are none; typing; the rest."""
    options = question.options
    if not options and question.default is not None:
        options = (Option(value=question.default, label=value_text(question.default)),)
    types = question.free_text or question.kind in ("text", "file", "number")
    other = (Row("other"),) if types else ()
    return (*(Row("option", option) for option in options), *other, Row("rest"))


def _number(text: str) -> int | float:
    plain = text.strip().removeprefix("$").replace(",", "").replace("_", "").split()
    try:
        value = float(plain[0])
    except (ValueError, IndexError):
        raise NotAnAnswer("this wants a number, such as 12.5; /say TEXT tells the planner something else") from None
    if not math.isfinite(value):
        raise NotAnAnswer("this wants a number, such as 12.5")
    return int(value) if value.is_integer() else value
