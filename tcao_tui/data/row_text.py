"""Rows as plain text, the way people compare them: what is asked and what is answered, without the format around it.

Out of scope: how a model sees a row (`probes.rendered`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tcao_tui.data.rows import ChatRow, Conversation, Message, PreferenceRow, ProblemRow, PromptRow, Row

_PART_KEYS = ("text", "thinking")


@dataclass(frozen=True, slots=True)
class RowText:
    """One row.

    Attributes:
        line: Where it begins in the file.
        system: Text of the system turns.
        prompt: Everything else that comes before the answer; `turns` counts all of the row's turns.
        answer: Last turn of the assistant, the better one of a pair, or the checkable answer; "" when there is none.
        worse: The rejected answer of a pair, else "".
    """

    line: int
    row: Row
    system: str
    prompt: str
    answer: str
    worse: str
    turns: int

    @property
    def body(self) -> str:
        """Prompt and answers, which make rows differ where system prompts are shared."""
        return f"{self.prompt}\n{self.answer}\n{self.worse}" if self.worse else f"{self.prompt}\n{self.answer}"

    @property
    def whole(self) -> str:
        """All text of the row."""
        return f"{self.system}\n{self.body}" if self.system else self.body


def row_text(row: Row, line: int) -> RowText:
    """The text of a row that begins at `line`."""
    match row:
        case ChatRow(conversation):
            asked, answered = conversation[:-1], conversation[-1:]
            if answered[0]["role"] != "assistant":
                asked, answered = conversation, []
            return _text(row, line, asked, answer=_joined(answered), turns=len(conversation))
        case PreferenceRow(prompt, chosen, rejected):
            turns = len(prompt) + max(len(chosen), len(rejected))
            return _text(row, line, prompt, answer=_joined(chosen), worse=_joined(rejected), turns=turns)
        case ProblemRow(prompt, answer):
            return _text(row, line, prompt, answer=answer, turns=len(prompt))
        case PromptRow(prompt):
            return _text(row, line, prompt, turns=len(prompt))


def turn_text(turn: Message) -> str:
    """Text of one turn: content, thinking and tool calls."""
    content = turn.get("content")
    text = content if isinstance(content, str) else "\n".join(_part_texts(content))
    calls = turn.get("tool_calls")
    return f"{text}\n{calls}" if calls else text


def normalised(text: str) -> str:
    """`text` without differences that do not count: case and white space."""
    return " ".join(text.casefold().split())


def _text(row: Row, line: int, asked: Conversation, *, answer: str = "", worse: str = "", turns: int) -> RowText:
    if len(asked) == 1 and asked[0]["role"] == "user":
        return RowText(line, row, "", turn_text(asked[0]), answer, worse, turns)
    system = _joined(turn for turn in asked if turn["role"] == "system")
    prompt = _joined(turn for turn in asked if turn["role"] != "system")
    return RowText(line, row, system, prompt, answer, worse, turns)


def _joined(turns: Iterable[Message]) -> str:
    return "\n".join(turn_text(turn) for turn in turns)


def _part_texts(content: object) -> list[str]:
    if not isinstance(content, Sequence):
        return []
    parts = [cast("dict[str, Any]", part) for part in cast("Sequence[object]", content) if isinstance(part, dict)]
    return [part[key] for part in parts for key in _PART_KEYS if isinstance(part.get(key), str)]
