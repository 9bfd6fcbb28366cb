"""Questions of the interview, as cards of at most four, and the answers to them. Both planners ask through these."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

QUESTIONS_PER_CARD = 4
QUESTIONS_IN_ALL = 10


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Option(_Part):
    """One answer to choose; the first option of a question is the recommended one."""

    value: Any
    label: str
    why: str = ""


class Question(_Part):
    """One question.

    Attributes:
        id: Slot that it fills; unique within an interview unless a contradiction is asked back.
        kind: "one" and "many" choose among `options`, `free_text` lets the person write another answer instead.
        default: What "use defaults for the rest" answers; None when only the person can answer.
        why: Why it is asked, one sentence.
        quotes: What the person said before that this one contradicts, word for word.
    """

    id: str
    text: str
    kind: Literal["text", "one", "many", "file", "number"]
    options: tuple[Option, ...] = ()
    free_text: bool = True
    default: Any = None
    unit: str = ""
    why: str = ""
    quotes: tuple[str, ...] = ()


class Card(_Part):
    """Questions that are asked together."""

    id: str
    title: str = ""
    questions: tuple[Question, ...] = Field(min_length=1, max_length=QUESTIONS_PER_CARD)


class Answer(_Part):
    """The answer to one question; `value` None with `defaulted` takes the default."""

    question: str
    value: Any = None
    defaulted: bool = False
