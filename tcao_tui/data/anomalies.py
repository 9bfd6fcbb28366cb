"""Rows that can be used and look wrong: roles out of order, empty turns, damaged, hidden or already marked up text.

Each kind is counted exactly and known by the line of its first row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tcao_tui.data.row_text import RowText, turn_text
from tcao_tui.data.rows import ChatRow, Conversation, PreferenceRow, Row
from tcao_tui.domain.data_profile import Anomaly
from tcao_tui.domain.plain_text import plain_text

KINDS: dict[str, tuple[str, str]] = {
    "assistant_first": ("the assistant speaks first", "check that prompt and answer are not mixed up"),
    "same_role_twice": ("two turns of the same role in a row", "join them, or add the turn between them"),
    "system_late": ("a system turn after the beginning", "move it to the beginning, or make it a user turn"),
    "empty_prompt": ("an empty user turn", "remove these rows"),
    "empty_answer": ("an empty answer, which teaches to say nothing", "remove these rows"),
    "echo": ("the answer repeats the prompt", "check that the fields of prompt and answer are the right ones"),
    "chat_markup": (
        "marks of a chat format in the text, such as <|im_start|> or [INST]",
        "remove them: the renderer writes the marks of the model",
    ),
    "hidden_characters": (
        "control, bidirectional or invisible characters, or terminal escapes",
        "look at them with `tcao data preview` and remove what is not meant",
    ),
    "damaged_text": ("broken characters such as U+FFFD or â€™", "decode the source with its real encoding"),
    "conflicting_answers": (
        "the same prompt is answered differently elsewhere",
        "keep the right answer, unless several are meant to be right",
    ),
    "mixed_languages": ("the answer is in another language than the prompt", "check whether that is meant"),
}
"""What is odd and what helps, in the order of the report."""

_MARKS = {
    "<|": (
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|start_header_id|>", "<|eot_id|>",
        "<|user|>", "<|assistant|>",
    ),
    "INST]": ("[INST]", "[/INST]"),
    "_of_turn>": ("<start_of_turn>", "<end_of_turn>"),
    "<<SYS>>": ("<<SYS>>",),
    "</s>": ("</s>",),
}  # fmt: skip
"""Marks by a piece that they have in common, which is looked for first."""

_DAMAGE = {"\ufffd": ("\ufffd",), "â€": ("â€",), "Ã": ("Ã¤", "Ã¶", "Ã¼", "Ã©", "Ã¨", "Ã±")}
_ONE_EXCHANGE = 2
_ROLES_KNOWN = 1_000


@dataclass(slots=True)
class _Count:
    rows: int = 0
    first_line: int = 0


class AnomalyCounter:
    """Counts rows by kind of anomaly."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._known_roles: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, rows: Sequence[RowText]) -> None:
        """Look at the next rows."""
        for row in rows:
            for code in self._of_roles(row):
                self.count(code, 1, row.line)
            for code in _of_contents(row):
                self.count(code, 1, row.line)
        texts = [row.whole for row in rows]
        together = "\n".join(texts)
        for code, table in (("chat_markup", _MARKS), ("damaged_text", _DAMAGE)):
            present = [
                mark for piece, marks in table.items() if piece in together for mark in marks if mark in together
            ]
            for row, text in zip(rows, texts, strict=True) if present else ():
                if any(mark in text for mark in present):
                    self.count(code, 1, row.line)
        if _has_hidden(together):
            for row, text in zip(rows, texts, strict=True):
                if _has_hidden(text):
                    self.count("hidden_characters", 1, row.line)

    def _of_roles(self, row: RowText) -> tuple[str, ...]:
        """What is odd about the order of roles, looked up, since files have few of them."""
        roles = tuple(turn["role"] for turn in _turns(row.row))
        if roles not in self._known_roles:
            if len(self._known_roles) == _ROLES_KNOWN:
                self._known_roles.clear()
            self._known_roles[roles] = tuple(_of_roles(roles))
        return self._known_roles[roles]

    def count(self, code: str, rows: int, first_line: int) -> None:
        """Add rows that were found elsewhere."""
        if rows:
            found = self._counts.setdefault(code, _Count(first_line=first_line))
            found.rows += rows

    def anomalies(self) -> tuple[Anomaly, ...]:
        """What was found, in the order of the report."""
        return tuple(
            Anomaly(code=code, what=what, fix=fix, count=found.rows, first_line=found.first_line)
            for code, (what, fix) in KINDS.items()
            if (found := self._counts.get(code)) is not None
        )


def _of_roles(roles: tuple[str, ...]) -> Iterator[str]:
    spoken = [role for role in roles if role != "system"]
    if spoken[:1] == ["assistant"]:
        yield "assistant_first"
    if any(a == b != "tool" for a, b in pairwise(spoken)):
        yield "same_role_twice"
    if "system" in roles[1:]:
        yield "system_late"


def _of_contents(row: RowText) -> Iterator[str]:
    if (_is_blank(row.prompt) or row.turns > _ONE_EXCHANGE) and _has_blank_user_turn(row.row):
        yield "empty_prompt"
    if isinstance(row.row, ChatRow | PreferenceRow):
        if _is_blank(row.answer) or (row.worse and _is_blank(row.worse)):
            yield "empty_answer"
        if row.answer == row.prompt:
            yield "echo"


def _has_blank_user_turn(row: Row) -> bool:
    return any(turn["role"] == "user" and _is_blank(turn_text(turn)) for turn in _turns(row))


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


def _turns(row: Row) -> Conversation:
    match row:
        case ChatRow(conversation):
            return conversation
        case PreferenceRow(prompt, chosen):
            return [*prompt, *chosen]
        case _:
            return row.prompt


def _has_hidden(text: str) -> bool:
    """Whether a terminal would have to be protected from this text."""
    if text.replace("\n", "").replace("\t", "").replace("\u00a0", "").isprintable():
        return False
    lines = text.replace("\r\n", "\n")
    return plain_text(lines) != lines
