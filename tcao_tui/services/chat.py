"""Talking to contenders: asks them, keeps what is said, takes votes, and saves rounds as rows for later work.

A session is used from any thread, for one prompt at a time.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from tcao_tui import paths
from tcao_tui.clients.chat_calls import Answered, Ask, ChatReply
from tcao_tui.data.append import append_rows
from tcao_tui.domain.chat import MOST_CONTENDERS, ChatSettings, Contender, Conversation, Reply
from tcao_tui.domain.chat_rows import KIND_TEXTS, SaveKind, rows_of
from tcao_tui.errors import Refused, UsageError
from tcao_tui.services.backend_helper import GivenUp, Ticket
from tcao_tui.services.checkpoints import Asks
from tcao_tui.store.chats import ChatFiles

type OnReply = Callable[[int, Reply], None]
"""Takes a contender's place and its reply, as soon as it is there."""


class Helper(Asks, Protocol):
    """Who asks the server and can be ended; `BackendHelper` does."""

    def close(self) -> None:
        """End it."""
        ...


def chat_files() -> ChatFiles:
    """Where conversations are kept."""
    return ChatFiles(paths.state_dir() / "chats")


def new_conversation(
    contenders: Sequence[Contender],
    settings: ChatSettings,
    *,
    backend: str = "",
    system: str = "",
    is_blind: bool = False,
    clock: Callable[[], float] = time.time,
) -> Conversation:
    """A conversation with nothing in it yet.

    Raises:
        UsageError: Too few or too many contenders.
    """
    if not 1 <= len(contenders) <= MOST_CONTENDERS:
        raise UsageError(f"one to {MOST_CONTENDERS} contenders can be talked to at once, not {len(contenders)}")
    if is_blind and len(contenders) < 2:
        raise UsageError("a blind comparison needs two contenders at least", next_step="name another one, such as base")
    now = clock()
    return Conversation(
        chat_id=f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(2)}",
        created_at=now,
        backend=backend,
        contenders=tuple(contenders),
        settings=settings,
        system=system,
        is_blind=is_blind,
        blind_seed=secrets.randbits(31),
    )


class ChatSession:
    """One conversation that is led.

    Args:
        asks: Asks the server; ended by `close`.
        files: Keeps the conversation.
        conversation: As it stands.
    """

    def __init__(self, asks: Helper, files: ChatFiles, conversation: Conversation) -> None:
        self._asks, self._files = asks, files
        self._conversation = conversation
        self._ticket: Ticket | None = None
        self._lock = threading.Lock()

    @property
    def conversation(self) -> Conversation:
        """As it stands."""
        return self._conversation

    def ask(self, prompt: str, on_reply: OnReply) -> None:
        """Let everyone answer; waits for the last of them. After a stop, what is there by then is kept.

        Args:
            prompt: The person's words.
            on_reply: Told of each answer, in this thread.

        Raises:
            Refused: Another prompt is being answered.
            GivenUp: It was stopped before anybody answered; by ^C, `KeyboardInterrupt`.
            TcaoError: The server cannot be asked.
        """
        ticket = self._begin()
        try:
            before = self._conversation
            replies: list[Reply | None] = [None] * len(before.contenders)

            def take(answered: Answered) -> None:
                replies[answered.ask] = answered.reply
                on_reply(answered.ask, answered.reply)

            asks = tuple(Ask(contender=at, messages=tuple(turns)) for at, turns in enumerate(before.asked(prompt)))
            call = ChatReply(contenders=before.contenders, settings=before.settings, asks=asks)
            try:
                self._asks.call(call, take, ticket)
            except (GivenUp, KeyboardInterrupt):
                if not any(replies):
                    raise
            self._keep(before.answered(prompt, replies))
        finally:
            self._ticket = None

    def _begin(self) -> Ticket:
        with self._lock:
            if self._ticket is not None:
                raise Refused("another prompt is being answered", next_step="wait for it, or stop it")
            self._ticket = Ticket()
            return self._ticket

    def stop(self) -> bool:
        """Give up what is being answered; says whether anything was."""
        ticket = self._ticket
        if ticket is not None:
            ticket.cancel()
        return ticket is not None

    def vote(self, vote: int | Literal["tie"]) -> None:
        """Vote for a contender, by its place, or for nobody.

        Raises:
            Refused: There are no two answers to choose from, or not this one.
        """
        one = self._conversation.round
        if not one.can_be_voted:
            raise Refused("there is nothing to vote on", next_step="ask something first")
        if vote != "tie" and not one.has_answers(vote):
            raise Refused("this contender has not answered")
        self._keep(self._conversation.voted(vote))

    def change(self, settings: ChatSettings, system: str) -> None:
        """Sample otherwise from now on; another system prompt begins a round."""
        self._keep(self._conversation.model_copy(update={"settings": settings}).with_system(system))

    def be_blind(self, is_blind: bool) -> None:
        """Hide who answers, or stop hiding it; begins a round."""
        self._keep(self._conversation.with_blind(is_blind))

    def begin_anew(self) -> None:
        """Let the next prompt stand alone."""
        self._keep(self._conversation.begun_anew())

    def save(
        self, kind: SaveKind, path: Path, contender: int | None = None, *, wanted: str = "", tags: Sequence[str] = ()
    ) -> str:
        """Append what was said last to a data file; returns what to tell the person.

        Raises:
            Refused: There is nothing of the kind, or the file holds rows of another format.
        """
        rounds = [one for one in self._conversation.rounds if one.exchanges]
        last = rounds[-1] if rounds else self._conversation.round
        rows = rows_of(kind, last, contender, wanted=wanted, tags=tags)
        place = path.expanduser()
        append_rows(place, rows)
        count = f"{len(rows)} {KIND_TEXTS[kind]}{'s' if len(rows) > 1 else ''}"
        return f"{count} appended to {place}"

    def close(self) -> None:
        """End the helper; the conversation is kept and can be gone on with."""
        self._asks.close()

    def _keep(self, conversation: Conversation) -> None:
        if conversation != self._conversation:
            self._conversation = conversation
            self._files.keep(conversation)
