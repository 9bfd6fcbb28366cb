"""What a row of a data file is once it has been read: the same few shapes for every format and container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

type Message = dict[str, Any]
"""One turn: `role` and `content`; `content` is text, or parts where a turn holds thinking; tool turns have more keys."""

type Conversation = list[Message]
"""Turns in order, never empty."""


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
