"""What the rules planner may do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.questions import Question


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing: it is the person's turn."""


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the person something and wait for them."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask at most four questions on one card."""

    questions: tuple[Question, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Assume:
    """Fill in a value that the person left to its default, with the reason in sight."""

    path: KeyPath
    filled: Filled


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Clear a value that was only assumed, and say why."""

    path: KeyPath
    saying: str


@dataclass(frozen=True, slots=True)
class UseTool:
    """Call a tool, after saying so where it writes something."""

    tool: str
    arguments: dict[str, Any]
    saying: str = ""


Move = Wait | Say | Ask | Assume | TakeBack | UseTool
