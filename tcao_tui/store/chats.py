"""Conversations that are kept: one JSON file each in the person's state directory, written whole after each turn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tcao_tui.domain.chat import Conversation
from tcao_tui.errors import UsageError
from tcao_tui.store.atomic_file import write_text

LATEST = "latest"
_NAMED_IN_ERRORS = 5


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """One conversation in a list.

    Attributes:
        title: Its first prompt.
        labels: What its contenders are called.
        exchanges, votes: How many there are.
        updated_at: Unix seconds.
    """

    chat_id: str
    title: str
    labels: tuple[str, ...]
    exchanges: int
    votes: int
    updated_at: float


class ChatFiles:
    """All conversations below one directory.

    Args:
        directory: Made when the first one is kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, conversation: Conversation) -> None:
        """Write a conversation as it stands. Raises `UsageError`."""
        path = self._path(conversation.chat_id)
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_text(path, conversation.model_dump_json())
        except OSError as error:
            raise UsageError(f"the conversation cannot be kept: {error.strerror}", where=str(path)) from error

    def find(self, reference: str) -> Conversation:
        """The conversation of an id, the beginning of exactly one, or `latest`. Raises `UsageError`."""
        ids = [path.stem for path in self._newest_first()]
        begun = [each for each in ids if each.startswith(reference)]
        found = ids[:1] if reference == LATEST else [each for each in ids if each == reference] or begun
        match found:
            case [only]:
                return self._read(only)
            case []:
                raise UsageError(f"there is no conversation {reference}", next_step="tcao chat --list")
            case _:
                shown = ", ".join(found[:_NAMED_IN_ERRORS])
                raise UsageError(f"{reference} is the beginning of several conversations: {shown}")

    def summaries(self, *, limit: int = 200) -> list[ChatSummary]:
        """The newest conversations, the one that moved last first; files that cannot be read are left out."""
        found: list[ChatSummary] = []
        for path in self._newest_first()[:limit]:
            try:
                found.append(_summary(self._read(path.stem), path.stat().st_mtime))
            except (UsageError, OSError):
                continue
        return found

    def _path(self, chat_id: str) -> Path:
        return self._directory / f"{chat_id}.json"

    def _newest_first(self) -> list[Path]:
        try:
            return sorted(self._directory.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.stem))[::-1]
        except OSError:
            return []

    def _read(self, chat_id: str) -> Conversation:
        path = self._path(chat_id)
        try:
            return Conversation.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise UsageError("this conversation cannot be read", where=str(path)) from error


def _summary(conversation: Conversation, updated_at: float) -> ChatSummary:
    return ChatSummary(
        chat_id=conversation.chat_id,
        title=conversation.title,
        labels=tuple(each.label for each in conversation.contenders),
        exchanges=sum(len(one.exchanges) for one in conversation.rounds),
        votes=sum(one.vote is not None for one in conversation.rounds),
        updated_at=updated_at,
    )
