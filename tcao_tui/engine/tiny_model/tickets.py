"""Draws customer messages with their queue and urgency from the phrases in `wordings.json`.

Words that decide the answer (the nouns of a queue) are shared by pre-training and demo: they are what a model can know.
Everything around them (sentences, openers, urgency cues, product and place names) belongs to one of the two, so no
wording of the demo was read in pre-training. What is answered is out of scope here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Split = Literal["pretraining", "demo"]

URGENCIES: Final = ("high", "normal", "low")
"""`normal` is a message that says nothing about time."""

LONGEST_MESSAGE: Final = 84
"""Characters; a batch costs as much as its longest row, so the rare long ones are drawn again."""

_WORDINGS: Final = Path(__file__).with_name("wordings.json")


@dataclass(frozen=True)
class Phrases:
    """The wordings of one split, and the nouns and dates that both splits share.

    Attributes:
        nouns: Queue to the things its messages are about.
        openers: What a message may start with.
        about_noun: Sentences with `{n}`, a noun of any queue; the noun alone decides the queue.
        about_queue: Queue to sentences of it, with slots such as `{product}`, `{order}`, `{amount}` and `{day}`.
        cues: Urgency to sentences that say so; those of `normal` are mere politeness, and may be left out.
        names: Slot to the names it is filled with: brands, items, cities, days, months.
    """

    nouns: Mapping[str, Sequence[str]]
    openers: Sequence[str]
    about_noun: Sequence[str]
    about_queue: Mapping[str, Sequence[str]]
    cues: Mapping[str, Sequence[str]]
    names: Mapping[str, Sequence[str]]

    @property
    def queues(self) -> tuple[str, ...]:
        """Teams a message can go to."""
        return tuple(self.nouns)


@dataclass(frozen=True)
class Ticket:
    """One customer message and where it belongs."""

    message: str
    queue: str
    urgency: str


def load_phrases(split: Split) -> Phrases:
    """The wordings of `split`, from the file beside this module."""
    every: dict[str, Any] = json.loads(_WORDINGS.read_text("utf-8"))
    own: dict[str, Any] = every[split]
    names = {name: own[name] for name in ("brands", "items", "cities")}
    return Phrases(
        nouns=every["nouns"],
        openers=own["openers"],
        about_noun=own["about_noun"],
        about_queue=own["about_queue"],
        cues=own["cues"],
        names={**names, "days": every["days"], "months": every["months"]},
    )


def draw_ticket(rng: random.Random, phrases: Phrases) -> Ticket:
    """One message of at most `LONGEST_MESSAGE`; all queues and all urgencies are equally likely."""
    queue, urgency = rng.choice(phrases.queues), rng.choice(URGENCIES)
    while len(message := _message(rng, phrases, queue, urgency)) > LONGEST_MESSAGE:
        pass
    return Ticket(message, queue, urgency)


def _message(rng: random.Random, phrases: Phrases, queue: str, urgency: str) -> str:
    problem, cue = _problem(rng, phrases, queue), rng.choice(phrases.cues[urgency])
    if urgency == "normal":
        sentences = (problem, cue) if rng.random() < 0.5 else (problem,)
    else:
        sentences = (cue, problem) if rng.random() < 0.35 else (problem, cue)
    message = " ".join(_capitalised(sentence) for sentence in sentences)
    return f"{rng.choice(phrases.openers)} {message}" if rng.random() < 0.3 else message


def _problem(rng: random.Random, phrases: Phrases, queue: str) -> str:
    slots = _slots(rng, phrases.names)
    if rng.random() < 0.5:
        return rng.choice(phrases.about_queue[queue]).format(**slots)
    noun = rng.choice(phrases.nouns[queue])
    shape = rng.choice(
        ("my {noun}", "my {noun}", "the {noun}", "the {noun} for my {product}", "the {noun} of order {order}")
    )
    return rng.choice(phrases.about_noun).format(n=shape.format(noun=noun, **slots), **slots)


def _slots(rng: random.Random, names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {
        "product": f"{rng.choice(names['brands'])} {rng.choice(names['items'])}",
        "city": rng.choice(names["cities"]),
        "day": rng.choice(names["days"]),
        "month": rng.choice(names["months"]),
        "order": f"{rng.randint(100, 9999)}",
        "amount": f"${rng.randint(3, 250)}",
        "code": f"E{rng.randint(1, 99)}",
    }


def _capitalised(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
