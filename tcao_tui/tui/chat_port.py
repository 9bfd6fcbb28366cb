"""What the chat screen asks of a conversation, so that tests pass one with scripted answers in.

The real one is `services.chat.ChatSession`, made in `tui.chat_desk`. All but `stop` and `conversation` block, so they
are called in thread workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from tcao_tui.domain.chat import ChatSettings, Conversation, Reply
    from tcao_tui.domain.chat_rows import SaveKind


@dataclass(frozen=True, slots=True)
class ChatWanted:
    """Which conversation to open.

    Attributes:
        contenders: One to four: a checkpoint (RUN, RUN:STEP or a `tinker://` path), a base model's name, `base`.
        chat_id: A conversation to go on with instead.
        is_blind: Who answers is told after the vote.
        backend: Profile of the server; None as the runs or the settings say.
    """

    contenders: Sequence[str] = ()
    chat_id: str = ""
    is_blind: bool = False
    backend: str | None = None


class ChatTalk(Protocol):
    """A conversation that this console leads; each method raises `TcaoError` with a next step when it cannot be."""

    @property
    def conversation(self) -> Conversation:
        """As it stands."""
        ...

    def ask(self, prompt: str, on_reply: Callable[[int, Reply], None]) -> None:
        """Let everyone answer; told of each answer as soon as it is there."""
        ...

    def stop(self) -> bool:
        """Give up what is being answered."""
        ...

    def vote(self, vote: int | Literal["tie"]) -> None:
        """Vote for a contender, or for nobody."""
        ...

    def change(self, settings: ChatSettings, system: str) -> None:
        """Sample otherwise from now on."""
        ...

    def be_blind(self, is_blind: bool) -> None:
        """Hide who answers, or stop hiding it, from the next round on."""
        ...

    def begin_anew(self) -> None:
        """Let the next prompt stand alone."""
        ...

    def save(
        self, kind: SaveKind, path: Path, contender: int | None = None, *, wanted: str = "", tags: Sequence[str] = ()
    ) -> str:
        """Append what was said last to a data file; returns what to tell the person."""
        ...

    def close(self) -> None:
        """End the helper process."""
        ...
