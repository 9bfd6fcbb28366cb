"""Plain counts of rows: turns, lengths, what kinds of turns there are, what the answers are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tcao_tui.data.answer_shapes import AnswerCounter
from tcao_tui.data.row_text import RowText
from tcao_tui.data.rows import ChatRow, Message, PreferenceRow, Row
from tcao_tui.data.spread import SpreadCounter

_THINKING_MARK = "<think>"
_USER_TURNS = 2


class TraitCounter:
    """Takes in rows in batches."""

    def __init__(self) -> None:
        self._turns = SpreadCounter()
        self._prompt = SpreadCounter()
        self._answer = SpreadCounter()
        self._answers = AnswerCounter()
        self._multi_turn = 0
        self._has_system = self._has_tools = self._has_thinking = False

    def add(self, rows: Sequence[RowText]) -> None:
        """Take in the next rows."""
        self._turns.add(row.turns for row in rows)
        self._prompt.add(len(row.system) + len(row.prompt) for row in rows)
        self._answer.add(max(len(row.answer), len(row.worse)) for row in rows)
        self._answers.add([row.answer for row in rows if row.answer])
        for row in rows:
            self._look_at_turns(row)

    def _look_at_turns(self, row: RowText) -> None:
        users = 0
        for turn in all_turns(row.row):
            role = turn["role"]
            if role == "user":
                users += 1
            elif role == "assistant":
                self._has_tools = self._has_tools or bool(turn.get("tool_calls"))
                self._has_thinking = self._has_thinking or _thinks(turn["content"])
            else:
                self._has_system = self._has_system or role == "system"
                self._has_tools = self._has_tools or role == "tool"
        self._multi_turn += users >= _USER_TURNS
        if isinstance(row.row, ChatRow) and row.row.tools:
            self._has_tools = True

    def fields(self) -> dict[str, Any]:
        """Fields of a `DataProfile`."""
        return {
            "turns": self._turns.spread(),
            "prompt_chars": self._prompt.spread(),
            "answer_chars": self._answer.spread(),
            "distinct_answers": self._answers.distinct,
            "answer_shape": self._answers.shape(),
            "has_system": self._has_system,
            "has_tools": self._has_tools,
            "has_thinking": self._has_thinking,
            "multi_turn_rows": self._multi_turn,
        }


def all_turns(row: Row) -> Iterable[Message]:
    """Every turn of a row, both sides of a pair included."""
    match row:
        case ChatRow(conversation):
            return conversation
        case PreferenceRow(prompt, chosen, rejected):
            return (*prompt, *chosen, *rejected)
        case _:
            return row.prompt


def _thinks(content: str | list[dict[str, str]]) -> bool:
    if isinstance(content, str):
        return _THINKING_MARK in content
    return any(part["type"] == "thinking" for part in content)
