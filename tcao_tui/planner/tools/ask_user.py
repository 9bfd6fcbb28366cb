"""The tool that asks the person: a card of questions, whose answers are the result of the call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue

from tcao_tui.domain.interview import Asked
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.questions import QUESTIONS_IN_ALL, QUESTIONS_PER_CARD, Card, Option, Question
from tcao_tui.domain.slots import SLOTS, slot_named
from tcao_tui.planner import plan_keys
from tcao_tui.planner.changes import persons_words
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.llm.news import card_waits
from tcao_tui.planner.port import Interview, Tool, ToolOutcome

_RECOMMENDED = re.compile(r"\s*[\[(]recommended[\])]\s*", re.IGNORECASE)
_TEXT_CHARACTERS, _LABEL_CHARACTERS = 400, 120
_OPTIONS = 8


class AskedOption(BaseModel):
    """One answer to choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(min_length=1, description="What the person reads.")
    description: str = Field(default="", description="What speaks for it, with numbers.")
    value: JsonValue = Field(default=None, description="What is set in the plan when it is chosen; empty: the label.")


class AskedQuestion(BaseModel):
    """One question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(min_length=1, description="The question, one sentence.")
    header: str = Field(default="", description="Slot or key of the plan that the answer fills; else one word.")
    why: str = Field(default="", description="Why it is asked, one sentence.")
    options: list[AskedOption | str] = Field(
        default=[], max_length=_OPTIONS, description="Recommended first; none when only the person can know."
    )
    multi_select: bool = Field(
        default=False,
        validation_alias=AliasChoices("multi_select", "multiSelect", "multiple"),
        description="Whether several options may be chosen.",
    )
    kind: Literal["text", "number", "file"] = Field(default="text", description="What is typed where no option fits.")
    quotes: list[str] = Field(default=[], description="What the person said that this contradicts, word for word.")


class AskUser(Tool):
    """Ask the person up to four questions on one card; this ends your turn, and the answers are the result.

    An answer to a question whose header is a slot or a key of the plan is set by the console as the person's own.
    """

    name: ClassVar[str] = "ask_user"

    questions: list[AskedQuestion] = Field(min_length=1, max_length=QUESTIONS_PER_CARD, description="The questions.")
    title: str = Field(default="", description="What the card is about, a few words.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Show the card."""
        state = interview.state
        card = Card(
            id=call_id,
            title=one_line(self.title, _LABEL_CHARACTERS),
            questions=tuple(_question(asked, place) for place, asked in enumerate(self.questions, 1)),
        )
        errors = list(_errors(card, state))
        if errors:
            return ToolOutcome({"ok": False, "errors": errors}, ok=False)
        shown = [question.id for question in card.questions]
        return ToolOutcome({"ok": True, "shown": shown}, entries=(Asked(card=card),))


def _errors(card: Card, state: InterviewState) -> Iterator[dict[str, str]]:
    """What keeps a card from being shown: the limits, repetition, and words that the person never said."""
    left = QUESTIONS_IN_ALL - state.questions
    said = " ".join(" ".join(persons_words(state)).split()).casefold()
    if state.use_defaults:
        yield _error("questions", "the person wants no more questions", "none", "take the defaults and list them")
    if card_waits(state):
        yield _error("questions", "a card of yours is open already", "one card a turn", "end your turn")
    if len(card.questions) > left:
        yield _error("questions", str(len(card.questions)), f"at most {left} more", "ask the decisive ones only")
    ids = [question.id for question in card.questions]
    for place, question in enumerate(card.questions):
        at = f"questions.{place}"
        if question.id in ids[:place]:
            yield _error(f"{at}.header", question.id, "another header for each question", "ask once")
        if question.id in state.asked and not question.quotes:
            yield _error(f"{at}.header", f"{question.id} was asked before", "a new question", "use the answer")
        for quote in question.quotes:
            if " ".join(quote.split()).casefold() not in said:
                yield _error(f"{at}.quotes", one_line(quote, 80), "the person's own words", "quote word for word")


def _question(asked: AskedQuestion, place: int) -> Question:
    slot = slot_named(asked.header) or next((slot for slot in SLOTS if asked.header in slot.paths), None)
    fills = slot is not None or plan_keys.is_known(asked.header)
    name = asked.header if fills else f"{_word(asked.header) or 'question'}-{place}"
    options = tuple(_option(option, fills=fills) for option in asked.options)
    only_the_person = slot is not None and slot.need == "required"
    default: Any = None if only_the_person or not options else options[0].value
    return Question(
        id=name,
        text=one_line(asked.question, _TEXT_CHARACTERS),
        kind=asked.kind if not options else "many" if asked.multi_select else "one",
        options=options,
        default=[default] if default is not None and asked.multi_select else default,
        unit="USD" if name in ("budget", "budget.max_cost_usd") else "",
        why=one_line(asked.why or (slot.why if slot else ""), _TEXT_CHARACTERS),
        quotes=tuple(one_line(quote, _TEXT_CHARACTERS) for quote in asked.quotes),
    )


def _option(option: AskedOption | str, *, fills: bool) -> Option:
    """An option whose label shows the value that it sets: nobody consents to what they did not see."""
    if isinstance(option, str):
        option = AskedOption(label=option)
    label = _RECOMMENDED.sub(" ", one_line(option.label, _LABEL_CHARACTERS)).strip() or option.label
    value = label if option.value is None or not fills else option.value
    shown = label if str(value) in label else f"{label} ({value})"
    return Option(value=value, label=shown, why=one_line(option.description, _TEXT_CHARACTERS))


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:24]


def _error(path: str, got: str, expected: str, fix: str) -> dict[str, str]:
    return {"path": path, "got": got, "expected": expected, "fix": fix}
