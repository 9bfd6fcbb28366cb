"""Prompts of a file, answered by several contenders: read, sent with bounded concurrency, handed on as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.clients.chat_calls import REPLIES_AT_ONCE, Answered, Ask, ChatReply
from tcao_tui.data.convert import text_content
from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow, PreferenceRow, ProblemRow, Row
from tcao_tui.data.rows import Conversation as Turns
from tcao_tui.domain.chat import ChatSettings, Contender, Message, Reply
from tcao_tui.errors import UsageError
from tcao_tui.services.backend_helper import Ticket
from tcao_tui.services.checkpoints import Asks

MOST_PROMPTS = 10_000

_ROLES = {"system", "user", "assistant"}


@dataclass(frozen=True, slots=True)
class FilePrompt:
    """A prompt of a file.

    Attributes:
        line: Where it begins, from 1.
        messages: Turns that ask for an answer.
        reference: The answer that the file wants; empty when it has none.
    """

    line: int
    messages: tuple[Message, ...]
    reference: str = ""

    @property
    def text(self) -> str:
        """The last words of the person."""
        return self.messages[-1].content


type OnAnswer = Callable[[int, int, Reply], None]
"""Takes the place of the prompt, that of the contender, and the reply."""


def read_prompts(path: Path, *, system: str = "") -> list[FilePrompt]:
    """The prompts of a data file of any format, or of a text file with one on each line.

    Args:
        path: The file; `.txt` is read line by line.
        system: Put before prompts that have no system prompt of their own.

    Raises:
        PlanInvalid: With file and line of each row that cannot be used.
        UsageError: The file cannot be read, holds no prompt, or too many.
    """
    found = _lines(path) if path.suffix == ".txt" else _rows(path)
    if not found:
        raise UsageError("the file holds no prompts", where=str(path))
    if len(found) > MOST_PROMPTS:
        raise UsageError(f"{len(found):,} prompts are more than {MOST_PROMPTS:,}", where=str(path))
    told = Message(role="system", content=system)
    return [_with_system(each, told) if system else each for each in found]


def _with_system(prompt: FilePrompt, told: Message) -> FilePrompt:
    if prompt.messages[0].role == "system":
        return prompt
    return FilePrompt(prompt.line, (told, *prompt.messages), prompt.reference)


def _lines(path: Path) -> list[FilePrompt]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(path)) from error
    numbered = enumerate(lines, 1)
    return [FilePrompt(line, (Message(role="user", content=text),)) for line, text in numbered if text.strip()]


def _rows(path: Path) -> list[FilePrompt]:
    problems = Problems()
    reader = RowReader(path, None, problems)
    found: list[FilePrompt] = []
    for row in reader:
        turns, reference = _asked(row)
        if any(turn["role"] not in _ROLES for turn in turns):
            problems.add(RowProblem(path, reader.line, "has turns of tools", "remove the row"))
        elif turns:
            messages = tuple(Message(role=turn["role"], content=text_content(turn["content"])) for turn in turns)
            found.append(FilePrompt(reader.line, messages, reference))
    problems.raise_if_any()
    return found


def _asked(row: Row) -> tuple[Turns, str]:
    """The turns to answer, and the wanted answer."""
    match row:
        case ChatRow():
            return row.conversation[:-1], text_content(row.conversation[-1]["content"])
        case PreferenceRow(prompt=prompt, chosen=chosen):
            return prompt, text_content(chosen[-1]["content"])
        case ProblemRow(prompt=prompt, answer=answer):
            return prompt, answer
        case _:
            return row.prompt, ""


def answer_prompts(
    asks: Asks,
    contenders: Sequence[Contender],
    settings: ChatSettings,
    prompts: Sequence[FilePrompt],
    on_answer: OnAnswer,
    *,
    ticket: Ticket | None = None,
    at_once: int = REPLIES_AT_ONCE,
) -> None:
    """Let every contender answer every prompt, at most `at_once` at a time; an answer that fails is a reply too.

    Raises:
        GivenUp: It was stopped.
        TcaoError: The server cannot be asked.
    """
    places = [(prompt, contender) for prompt in range(len(prompts)) for contender in range(len(contenders))]
    wanted = tuple(Ask(contender=contender, messages=prompts[prompt].messages) for prompt, contender in places)

    def take(answered: Answered) -> None:
        on_answer(*places[answered.ask], answered.reply)

    call = ChatReply(contenders=tuple(contenders), settings=settings, asks=wanted, at_once=at_once)
    asks.call(call, take, ticket)
