"""Talking to contenders line by line, in a terminal or over a pipe: a line is a prompt, or a command after a slash."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import ValidationError

from tcao_tui.cli.context import CliContext
from tcao_tui.cli.render.chat import reply_json, reply_lines
from tcao_tui.cli.render.json import to_json
from tcao_tui.cli.render.text import error_text
from tcao_tui.domain.chat import ChatSettings
from tcao_tui.domain.chat_meter import meter_of
from tcao_tui.domain.chat_rows import SaveKind
from tcao_tui.domain.votes import tally, verdict
from tcao_tui.errors import TcaoError, UsageError

if TYPE_CHECKING:
    from tcao_tui.domain.chat import Reply
    from tcao_tui.services.chat import ChatSession

HELP = """\
  /1 /2 /3 /4      vote for the answer of that number
  /tie             vote for none
  /new             let the next prompt stand alone
  /set KEY VALUE   temperature, max_tokens, top_p, seed or thinking; `none` takes it back
  /system TEXT     another system prompt
  /save KIND FILE [NUMBER]   keep as rows, case or pair; the number says whose answer
  /meter           tokens and cost so far, and the votes
  /quit            leave; `tcao chat --continue latest` goes on
Anything else is a prompt. ^C stops the answers."""


def save_target(text: str | None) -> tuple[SaveKind, Path] | None:
    """`KIND:FILE` as its parts. Raises `UsageError`."""
    if text is None:
        return None
    kind, colon, path = text.partition(":")
    if not colon or not path:
        raise UsageError(f"--save-as {text}: say what and where", next_step="such as --save-as pair:pairs.jsonl")
    return _kind(kind), Path(path)


def _kind(text: str) -> SaveKind:
    kinds: tuple[SaveKind, ...] = get_args(SaveKind.__value__)
    if text not in kinds:
        raise UsageError(f"{text!r} cannot be kept; there are: {', '.join(kinds)}")
    return text


def changed_settings(settings: ChatSettings, key: str, value: str) -> ChatSettings:
    """Settings with another value, as a person writes it. Raises `UsageError`."""
    if key not in ChatSettings.model_fields:
        raise UsageError(f"there is no setting {key!r}; there are: {', '.join(ChatSettings.model_fields)}")
    meant: str | None = None if value.lower() in ("none", "") else value
    try:
        return ChatSettings.model_validate({**settings.model_dump(), key: meant})
    except ValidationError as error:
        raise UsageError(f"{key}: {error.errors()[0]['msg']}") from error


class LineChat:
    """A person, or a script, and a conversation.

    Args:
        console: Where to print and ask.
        session: The conversation.
        save_as: Where every vote is kept as a pair, or every finished round as a row or case.
    """

    def __init__(self, console: CliContext, session: ChatSession, save_as: tuple[SaveKind, Path] | None = None) -> None:
        self._console, self._session, self._save_as = console, session, save_as
        self._kept_rounds = sum(one.vote is not None for one in session.conversation.rounds)

    def talk(self) -> None:
        """Take lines until they end or the person leaves."""
        for line in self._lines():
            text = line.strip()
            if text == "/quit":
                break
            if text:
                self._guarded(lambda text=text: self._command(text) if text.startswith("/") else self.ask(text))
        self._guarded(self.keep_round)

    def _lines(self) -> Iterator[str]:
        if not self._console.is_interactive:
            yield from sys.stdin
            return
        import readline  # makes `input` edit lines and remember them

        readline.set_auto_history(True)
        while True:
            try:
                yield input("> ")
            except EOFError:
                return
            except KeyboardInterrupt:
                self._console.progress("\n(/quit leaves)")

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except KeyboardInterrupt:
            self._console.progress("stopped")
        except TcaoError as error:
            self._console.progress(error_text(error, self._console.style))

    def ask(self, prompt: str) -> None:
        """Print each answer as soon as it is there, blind ones in their order: who is fast would tell who it is.

        Raises:
            TcaoError: The server cannot be asked, or it was stopped before anybody answered.
        """
        is_blind, now = self._session.conversation.is_blind, self._session.conversation.round

        def take(contender: int, reply: Reply) -> None:
            if not is_blind:
                self._print(now.order.index(contender), contender, reply)

        if self._console.draws_progress:
            self._console.progress(self._console.style("...", dim=True))
        self._session.ask(prompt, take)
        last = self._session.conversation.rounds[-1]
        for column, contender in enumerate(last.order):
            reply = last.exchanges[-1].replies[contender]
            if is_blind or reply is None:
                self._print(column, contender, reply)
        if last.can_be_voted and self._console.is_interactive:
            keys = " ".join(f"/{number}" for number in range(1, len(last.order) + 1))
            self._console.progress(self._console.style(f"vote with {keys} or /tie", dim=True))

    def _print(self, column: int, contender: int, reply: Reply | None) -> None:
        conversation = self._session.conversation
        each = conversation.contenders[contender]
        is_known = not conversation.is_blind
        label = each.label if is_known else str(column + 1)
        match self._console.output:
            case "text":
                name = f"{column + 1} {label}" if is_known and len(conversation.contenders) > 1 else label
                self._console.result("\n".join(reply_lines(name, reply, self._console.style)) + "\n")
            case "stream-json":
                self._console.result(to_json(reply_json(label, each.source if is_known else "", reply)))
            case _:
                pass

    def _command(self, text: str) -> None:
        verb, _, rest = text[1:].partition(" ")
        match verb:
            case "1" | "2" | "3" | "4":
                self._vote(int(verb))
            case "tie":
                self._vote("tie")
            case "new":
                self.keep_round()
                self._session.begin_anew()
            case "set":
                key, _, value = rest.strip().partition(" ")
                conversation = self._session.conversation
                settings = changed_settings(conversation.settings, key, value.strip())
                self._session.change(settings, conversation.system)
            case "system":
                self._session.change(self._session.conversation.settings, rest.strip())
            case "save":
                self._save(rest)
            case "meter":
                self._console.progress(meter_of(self._session.conversation).text)
                self._say_votes()
            case "help":
                self._console.progress(HELP)
            case _:
                raise UsageError(f"there is no /{verb}", next_step="/help")

    def _vote(self, vote: int | Literal["tie"]) -> None:
        order = self._session.conversation.round.order
        if vote != "tie" and vote > len(order):
            raise UsageError(f"there is no answer {vote}")
        self._session.vote("tie" if vote == "tie" else order[vote - 1])
        conversation = self._session.conversation
        if conversation.is_blind:
            names = [f"{at} was {conversation.contenders[place].label}" for at, place in enumerate(order, 1)]
            self._console.progress(", ".join(names))
        self._say_votes()
        self.keep_round()

    def _say_votes(self) -> None:
        conversation = self._session.conversation
        if len(conversation.contenders) > 1:
            self._console.progress(verdict(tally(conversation), [each.label for each in conversation.contenders]))

    def _save(self, rest: str) -> None:
        try:
            words = shlex.split(rest)
        except ValueError as error:
            raise UsageError(f"/save {rest}: {error}") from error
        if len(words) not in (2, 3):
            raise UsageError("say what, where, and whose: /save rows FILE [NUMBER]")
        number = int(words[2]) if len(words) == 3 and words[2].isdecimal() else None
        self._console.progress(self._session.save(_kind(words[0]), Path(words[1]), self._chosen(number)))

    def _chosen(self, number: int | None) -> int | None:
        """The contender of a number; without one the only contender, or the one that was voted for."""
        conversation = self._session.conversation
        last = conversation.rounds[-1] if conversation.rounds else conversation.round
        if number is not None:
            if not 1 <= number <= len(last.order):
                raise UsageError(f"there is no answer {number}")
            return last.order[number - 1]
        return 0 if len(last.order) == 1 else last.vote if isinstance(last.vote, int) else None

    def keep_round(self) -> None:
        """What `--save-as` asks for, once for each round that has an answer to prefer, or only one."""
        rounds = self._session.conversation.rounds
        if self._save_as is None or not rounds or len(rounds) <= self._kept_rounds:
            return
        kind, path = self._save_as
        last = rounds[-1]
        is_chosen = isinstance(last.vote, int) or (len(last.order) == 1 and kind != "pair")
        if last.exchanges and is_chosen:
            self._kept_rounds = len(rounds)
            self._console.progress(self._session.save(kind, path, self._chosen(None)))


def read_prompt(text: str) -> str:
    """The prompt of `-p`; `-` stands for all of stdin."""
    return sys.stdin.read() if text == "-" else text
