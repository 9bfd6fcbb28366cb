"""Data files of a few rows, for tests of what is measured in them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tcao_tui.data.row_text import RowText, row_text
from tcao_tui.data.rows import ChatRow, Conversation, PreferenceRow

WORDS = [
    "river",
    "stone",
    "walks",
    "slowly",
    "past",
    "every",
    "window",
    "while",
    "seven",
    "painters",
    "count",
    "brushes",
]


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def exchange(prompt: str, answer: str) -> Conversation:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def chat(prompt: str, answer: str = "yes", line: int = 1) -> RowText:
    return row_text(ChatRow(exchange(prompt, answer)), line)


def talk(*turns: tuple[str, str], line: int = 1) -> RowText:
    return row_text(ChatRow([{"role": role, "content": content} for role, content in turns]), line)


def pair(prompt: str, better: str, worse: str, line: int = 1) -> RowText:
    sides = ([{"role": "assistant", "content": answer}] for answer in (better, worse))
    return row_text(PreferenceRow([{"role": "user", "content": prompt}], *sides), line)


def sentence(number: int, length: int = 30) -> str:
    """A text of so many words that shares no three in a row with that of another number."""
    return " ".join(f"{WORDS[(number + place) % len(WORDS)]}{number}x{place}" for place in range(length))
