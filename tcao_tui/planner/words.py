"""What a person's words plainly say: amounts, methods, numbers, models, wishes; each with the sentence as its quote.

One table of plain rules. They miss what is said in other words, which is then asked; they must not hear what was not
said, so each asks for the words around a number too. What becomes of it is decided in `hearing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tcao_tui.domain.draft import KeyPath
from tcao_tui.domain.plain_text import one_line


def _any_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


_NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
_IS = r"(?:\s+of|\s*=|\s*:|\s+is)?\s*"
_QUOTE_CHARACTERS = 160
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+")
_AMOUNT = re.compile(
    rf"\$\s?{_NUMBER}\s?(k\b)?|{_NUMBER}\s?(k)?\s?(?:usd|us dollars|dollars?|bucks)\b"
    rf"|\bbudget\s*(?:is|of|:|=|at)?\s*{_NUMBER}(?![\d,]|\s*(?:steps|rows|tokens|%|percent|epochs|hours|minutes))",
    re.IGNORECASE,
)
_OF_MONEY = _any_of(
    "budget|cap|spend|cost|costs|at most|max|maximum|limit|up to|under|no more than|less than|pay|afford|willing"
)
_SHORT_SENTENCE_WORDS = 6
_METHODS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("sft", r"\bsft\b|\bsupervised fine-?tun\w*"),
        ("dpo", r"\bdpo\b|\bdirect preference\b"),
        ("rlhf", r"\brlhf\b"),
        ("rl", r"\brl\b|\breinforcement learning\b|\bgrpo\b|\brlvr\b"),
        ("distill", r"\b(?:on-policy |knowledge )?distil\w* (?:from|the teacher|a teacher|it from)|\bdistillation\b"),
    )
)
_NEGATED = re.compile(
    r"\b(?:not?|never|without|avoid|except|instead of|rather than|other than|\w+n'?t)\s+"
    r"(?:(?!but\b|use\b|do\b)\w+\s+){0,3}$",
    re.IGNORECASE,
)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s?(?:%|percent\b)|(?<![\d.])(0?\.\d+)\b", re.IGNORECASE)
_OF_SUCCESS = re.compile(
    r"\b(accura\w+|correct\w*|exact\w*|scor\w+|right|solv\w+|pass rate|success\w*)\b", re.IGNORECASE
)
_OF_TODAY = re.compile(r"\b(currently|now|today|baseline|at the moment|so far|only gets?|gets only)\b", re.IGNORECASE)
_COUNTS: tuple[tuple[KeyPath, re.Pattern[str]], ...] = tuple(
    (path, re.compile(pattern, re.IGNORECASE))
    for path, pattern in (
        ("training.num_steps", rf"(?<!every )(?<!each )(?<![\d,]){_NUMBER}\s+(?:training |optimi[sz]er )?steps\b"),
        ("training.lora_rank", r"\brank(?:\s+of|\s*=|\s*:|\s+is)?\s*(\d+)\b"),
        ("training.train_batch_size", r"\bbatch(?:[ _]size)?(?:\s+of|\s*=|\s*:|\s+is)?\s*(\d+)\b"),
        (
            "training.max_seq_len",
            r"\bmax(?:imum)?[ _](?:seq(?:uence)?[ _])?len(?:gth)?(?:\s+of|\s*=|\s*:|\s+is)?\s*(\d+)\b",
        ),
    )
)
_RATE = re.compile(rf"\b(?:learning rate|lr){_IS}(\d[\d.]*e-?\d+|0?\.\d+)", re.IGNORECASE)
_NAME = re.compile(r"\b(?:call|name) (?:it|this|the run)\s+[\"'`“]?([A-Za-z0-9][\w.-]{0,63})\b", re.IGNORECASE)

CORRECTING = re.compile(
    r"\b(actually|instead|rather|change (?:it|that|the)|correction|make (?:it|that)|sorry|i meant|on second thought"
    r"|changed my mind|forget (?:that|what))\b|^no,",
    re.IGNORECASE,
)
"""The person takes back what they said before."""
DEFAULTS_FOR_REST = re.compile(
    r"\b(just do it|(?:use|take) (?:the )?defaults|you (?:decide|choose)|skip the questions|no (?:more )?questions"
    r"|don'?t ask(?: me)?(?: anything)?|surprise me|whatever you think)\b",
    re.IGNORECASE,
)
AGAIN = _any_of("again|go on|continue|retry|try (?:it|now)|re-?inspect|reload|refresh|corrected|fixed it|it is fixed")
"""The person changed something outside, such as a file."""
STAYS_HERE = re.compile(
    r"\b(?:no|not|never|without|cannot|can'?t|must ?n[o']t|may not|don'?t|nothing)\b[^.!?]{0,60}"
    r"\b(?:leav\w+\b(?!\s+out\b)|upload\w*|third part\w+|cloud|off (?:this|the|my) machine)\b"
    r"|\b(?:data|everything|it|rows)\b[^.!?]{0,40}\b(?:stays?|remains?|kept|keep)\b[^.!?]{0,30}"
    r"\b(?:local\w*|here|on-?prem\w*|this machine|in-?house|my machine)\b"
    r"|\b(?:on-?prem\w*|air-?gapped|local) only\b|\bonly local\w*\b|\blocally only\b",
    re.IGNORECASE,
)
"""Data must not leave the machine."""
WANTING = re.compile(
    r"\b(want|need|should|teach|train|make|learns?|build|fine-?tun\w+|help|improve|goal|become|would like|distil\w*)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A value that the person said, with their words."""

    path: KeyPath
    value: str | float | int
    quote: str


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part.strip() for part in _SENTENCES.split(text) if part.strip()]


def quote_of(sentence: str) -> str:
    """A sentence as it is quoted back."""
    return one_line(sentence, _QUOTE_CHARACTERS)


def heard_in(text: str) -> list[Heard]:
    """All values that a text says, in order; the same path twice where it says two things."""
    return [
        Heard(path, value, quote_of(sentence))
        for sentence in sentences(text)
        for rule in _RULES
        for path, value in rule(sentence)
    ]


def is_negated(sentence: str, start: int) -> bool:
    """Whether what begins at `start` is ruled out rather than wanted."""
    return bool(_NEGATED.search(sentence[:start]))


def _budget(sentence: str) -> Iterator[tuple[KeyPath, float]]:
    if not _OF_MONEY.search(sentence) and len(sentence.split()) > _SHORT_SENTENCE_WORDS:
        return
    for match in _AMOUNT.finditer(sentence):
        amount = next(group for group in (match[1], match[3], match[5]) if group)
        yield "budget.max_cost_usd", float(amount.replace(",", "")) * (1000 if match[2] or match[4] else 1)


def _method(sentence: str) -> Iterator[tuple[KeyPath, str]]:
    if sentence.endswith("?"):
        return
    for method, pattern in _METHODS:
        if any(not is_negated(sentence, match.start()) for match in pattern.finditer(sentence)):
            yield "method", method


def _threshold(sentence: str) -> Iterator[tuple[KeyPath, float]]:
    if not _OF_SUCCESS.search(sentence):
        return
    for match in _SHARE.finditer(sentence):
        share = float(match[1]) / 100 if match[1] else float(match[2])
        if 0 < share <= 1 and not _OF_TODAY.search(_clause_before(sentence, match.start())):
            yield "success.threshold", share


def _clause_before(sentence: str, place: int) -> str:
    return re.split(r"[,;]|\bbut\b", sentence[:place])[-1]


def _counts(sentence: str) -> Iterator[tuple[KeyPath, int]]:
    for path, pattern in _COUNTS:
        for match in pattern.finditer(sentence):
            yield path, int(float(match[1].replace(",", "")))


def _rate(sentence: str) -> Iterator[tuple[KeyPath, float]]:
    yield from (("training.learning_rate", float(match[1])) for match in _RATE.finditer(sentence))


def _name(sentence: str) -> Iterator[tuple[KeyPath, str]]:
    yield from (("training.run_name", match[1].rstrip(".-_")) for match in _NAME.finditer(sentence))


_RULES: tuple[Callable[[str], Iterator[tuple[KeyPath, str | float | int]]], ...] = (
    _budget,
    _method,
    _threshold,
    _counts,
    _rate,
    _name,
)
