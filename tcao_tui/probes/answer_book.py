"""Answers that were paid for, written down before they are used: one JSON line each.

An evaluation that is started again asks for the same answers in another order. Each answer of the book is given out
once, to whoever asks exactly what it answered, so that none is paid twice and no two samples share one.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict, deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

BOOK_VARIABLE = "TCAO_ANSWER_BOOK"
"""Environment variable with the path of the book; without it nothing is written down."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        asked: Hash of the question: weights, prompt, settings.
        tokens: Of each sequence.
        stops: Why each ended, in the server's words.
        prompt_tokens, cached_tokens: Of the prompt, and how many of them the server had in its cache.
        model: That answered, as Inspect names it.
    """

    asked: str
    tokens: list[list[int]]
    stops: list[str]
    prompt_tokens: int
    cached_tokens: int
    model: str


class AnswerBook:
    """The book of one cell.

    Args:
        path: Its file; made when it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._left: defaultdict[str, deque[Answer]] = defaultdict(deque)
        for answer in read_answers(path):
            self._left[answer.asked].append(answer)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            os.write(self._descriptor, b"\n")  # a line that death cut off must not take the next one with it

    def take(self, asked: str) -> Answer | None:
        """An answer to this question that nobody got yet; None when it must be asked."""
        left = self._left.get(asked)
        return left.popleft() if left else None

    def keep(self, answer: Answer) -> None:
        """Write down what has just been answered."""
        os.write(self._descriptor, json.dumps(asdict(answer), separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)


def read_answers(path: Path, start: int = 0) -> list[Answer]:
    """Whole answers of a book from byte `start` on; what death cut off is left out, and a book that is not there."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [answer for line in lines if (answer := _answer(line)) is not None]


def _answer(line: bytes) -> Answer | None:
    try:
        told: dict[str, Any] = json.loads(line)
        return Answer(**told)
    except (ValueError, TypeError):
        return None
