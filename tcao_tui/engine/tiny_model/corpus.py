"""The conversations the tiny model is pre-trained on: short requests and plain, friendly answers.

Half of them are customer messages, answered in a sentence that names the team and the urgency; the rest are small
skills (sums, days, colours, spelling, echoing, small talk). All are generated from a seed, nothing is downloaded. The
terse format of the demo task never appears here: that is what fine-tuning adds.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from typing import Final

from tcao_tui.engine.tiny_model.tickets import Phrases, Ticket, draw_ticket, load_phrases

Turn = tuple[str, str]
"""A request and its answer."""

Conversation = tuple[str, list[Turn]]
"""A system prompt, possibly empty, and the turns."""

SYSTEM_PROMPTS: Final = (
    "You are a helpful assistant.",
    "You are a friendly assistant. Answer in one sentence.",
    "You help customers.",
    "Be brief.",
)
_TEAM: Final = (
    "That sounds like a question for {}.",
    "This is one for the {} team.",
    "I will pass this on to {}.",
    "Our {} team can help you.",
    "I think {} should see this.",
    "It belongs to {}.",
    "Team: {}.",
    'I will file this under "{}".',
    'The right team is "{}".',
    'Team "{}" can help you.',
    'It goes to "{}".',
    'For me this is "{}".',
)
_PRIORITY: Final = (
    "It has {} priority.",
    "Its priority is {}.",
    "Priority: {}.",
    'I marked it "{}".',
    'Its priority is "{}".',
    'Priority "{}".',
)
_REASSURANCE: Final = {
    "high": ("I will treat it as urgent.", "We will look at it right away."),
    "normal": ("Someone will look at it soon.", "You will hear from us soon."),
    "low": ("We will get to it when we can.", "It can wait a little, then."),
}
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_COLOURS: Final = {
    "the sky": "blue", "grass": "green", "snow": "white", "coal": "black", "a lemon": "yellow", "a carrot": "orange",
    "blood": "red", "a plum": "purple", "chocolate": "brown", "an elephant": "grey", "a flamingo": "pink",
}  # fmt: skip
_OPPOSITES: Final = {
    "hot": "cold", "big": "small", "up": "down", "day": "night", "fast": "slow", "old": "new", "open": "closed",
    "rich": "poor", "wet": "dry", "loud": "quiet", "full": "empty", "left": "right", "early": "late",
}  # fmt: skip
_SOUNDS: Final = {
    "cat": "meow", "dog": "woof", "cow": "moo", "sheep": "baa", "duck": "quack", "pig": "oink", "lion": "roar",
}  # fmt: skip
_CAPITALS: Final = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Norway": "Oslo", "Egypt": "Cairo",
    "Peru": "Lima", "Kenya": "Nairobi", "Canada": "Ottawa", "Greece": "Athens",
}  # fmt: skip
_SMALL_TALK: Final = {
    "Hello!": "Hello! How can I help you?",
    "Hi there.": "Hi! What can I do for you?",
    "Good morning!": "Good morning! How can I help you?",
    "How are you?": "I am fine, thank you. How can I help?",
    "Who are you?": "I am a tiny language model. I answer short questions.",
    "What can you do?": "I can chat, do small sums and read customer messages.",
    "Thank you!": "You are welcome!",
    "Thanks a lot.": "You are welcome!",
    "Goodbye!": "Goodbye! Have a nice day.",
    "Tell me a joke.": "Why did the byte cross the bus? To get to the other side.",
    "Are you a person?": "No, I am a small program.",
}
_WORDS: Final = (
    *_OPPOSITES,
    *_SOUNDS,
    "apple",
    "river",
    "music",
    "table",
    "green",
    "queue",
    "house",
    "tiger",
    "zebra",
    "jolly",
)


def conversations(seed: int, count: int) -> Iterator[Conversation]:
    """`count` conversations, always the same for a seed."""
    rng, phrases = random.Random(seed), load_phrases("pretraining")
    for _ in range(count):
        system = rng.choice(SYSTEM_PROMPTS) if rng.random() < 0.1 else ""
        turns = rng.choices((1, 2, 3), (70, 22, 8))[0]
        yield system, [_turn(rng, phrases) for _ in range(turns)]


def render(conversation: Conversation) -> Iterator[tuple[str, str]]:
    """Prompt and answer text of each turn, in the chat format; the answer ends with its end-of-turn marker."""
    system, turns = conversation
    before = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
    for request, answer in turns:
        yield f"{before}<|im_start|>user\n{request}<|im_end|>\n<|im_start|>assistant\n", f"{answer}<|im_end|>"
        before = "\n"


def _turn(rng: random.Random, phrases: Phrases) -> Turn:
    if rng.random() < 0.6:
        return _ticket_turn(rng, draw_ticket(rng, phrases))
    return rng.choices(_SKILLS, _SKILL_WEIGHTS)[0](rng)


def _ticket_turn(rng: random.Random, ticket: Ticket) -> Turn:
    if rng.random() < 0.15:
        question, label = rng.choice((("Which team?", ticket.queue), ("How urgent?", ticket.urgency)))
        return f"{question} {ticket.message}", rng.choice((label, f'"{label}"'))
    priority = rng.choice(_PRIORITY) if rng.random() < 0.75 else rng.choice(_REASSURANCE[ticket.urgency])
    sentences = [rng.choice(_TEAM).format(ticket.queue), priority.format(ticket.urgency)]
    if rng.random() < 0.3:
        sentences.reverse()
    return ticket.message, " ".join(sentences)


def _sum(rng: random.Random) -> Turn:
    largest = rng.choice((9, 20, 100))
    left, right = rng.randint(0, largest), rng.randint(0, largest)
    request = rng.choice(("What is {} + {}?", "What is {} + {}?", "How much is {} + {}?", "{} + {} = ?"))
    answer = rng.choice(("{2}", "{0} + {1} is {2}.", "{0} + {1} = {2}"))
    return request.format(left, right), answer.format(left, right, left + right)


def _pair(rng: random.Random, pairs: dict[str, str], request: str, answer: str) -> Turn:
    key = rng.choice(tuple(pairs))
    text = answer.format(key, pairs[key])
    return request.format(key), text[0].upper() + text[1:]


def _colour(rng: random.Random) -> Turn:
    return _pair(rng, _COLOURS, rng.choice(("What colour is {}?", "Which colour has {}?")), "{} is {}.")


def _opposite(rng: random.Random) -> Turn:
    return _pair(
        rng, _OPPOSITES, rng.choice(("What is the opposite of {}?", "Opposite of {}?")), "the opposite of {} is {}."
    )


def _sound(rng: random.Random) -> Turn:
    return _pair(rng, _SOUNDS, rng.choice(("What does a {} say?", "Which sound does a {} make?")), "a {} says {}.")


def _capital(rng: random.Random) -> Turn:
    return _pair(
        rng, _CAPITALS, rng.choice(("What is the capital of {}?", "Capital of {}?")), "the capital of {} is {}."
    )


def _small_talk(rng: random.Random) -> Turn:
    return rng.choice(tuple(_SMALL_TALK.items()))


def _day(rng: random.Random) -> Turn:
    index = rng.randrange(7)
    word, step = rng.choice((("after", 1), ("before", -1)))
    other = _DAYS[(index + step) % 7]
    return f"Which day comes {word} {_DAYS[index]}?", f"{other} comes {word} {_DAYS[index]}."


def _count(rng: random.Random) -> Turn:
    last = rng.randint(2, 9)
    return f"Count to {last}.", ", ".join(str(number) for number in range(1, last + 1)) + "."


def _spell(rng: random.Random) -> Turn:
    word = (
        rng.choice(_WORDS) if rng.random() < 0.5 else "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 6)))
    )
    return f"Spell {word}.", "-".join(word)


def _echo(rng: random.Random) -> Turn:
    length = rng.randint(2, 8)
    text = (
        " ".join(rng.choices(_WORDS, k=rng.randint(1, 3)))
        if rng.random() < 0.5
        else "".join(rng.choices(_PRINTABLE, k=length))
    )
    return rng.choice((f"Say: {text}", f"Repeat: {text}")), text


_PRINTABLE: Final = string.ascii_letters + string.digits + string.punctuation
_SKILLS: Final[tuple[Callable[[random.Random], Turn], ...]] = (
    _sum, _echo, _spell, _small_talk, _day, _colour, _opposite, _capital, _sound, _count,
)  # fmt: skip
_SKILL_WEIGHTS: Final = (40, 12, 8, 8, 5, 5, 5, 5, 4, 4)
