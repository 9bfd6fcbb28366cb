"""What a row of a data file is once it has been read: the same few shapes for every format and container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tcao_tui.domain.data_profile import RowKind

type Message = dict[str, Any]
"""One turn: `role` and `content`, which is text, or parts where a turn holds thinking; tools add more keys."""

type Conversation = list[Message]
"""Turns in order, never empty."""


_LONGEST_MESSAGE = 500


class RowRejected(Exception):
    """A row cannot be used.

    Args:
        what: What is wrong with it.
        fix: What to change.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = _cut(what), _cut(fix)


def _cut(text: str) -> str:
    """Short enough to be kept a hundred times, whatever names the data hold."""
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A conversation to imitate; it ends with the assistant's turn. `tools` are JSON schemas, empty when none."""

    conversation: Conversation
    tools: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """Two ways to go on from the same prompt, the first being the better one; both end with the assistant's turn."""

    prompt: Conversation
    chosen: Conversation
    rejected: Conversation


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A prompt whose answer can be checked against `answer`."""

    prompt: Conversation
    answer: str


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt to answer, as distillation needs it."""

    prompt: Conversation


type Row = ChatRow | PreferenceRow | ProblemRow | PromptRow

KINDS: dict[type[Row], RowKind] = {
    ChatRow: "chat",
    PreferenceRow: "preference",
    ProblemRow: "problem",
    PromptRow: "prompt",
}
