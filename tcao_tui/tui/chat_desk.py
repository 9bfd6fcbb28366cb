"""Opens conversations for the chat screen: who is meant, which server, and a helper process of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.domain.chat import ChatSettings
from tcao_tui.services.backend_helper import BackendHelper
from tcao_tui.services.backends import ensure_engine, resolve_profile
from tcao_tui.services.chat import ChatSession, chat_files, new_conversation
from tcao_tui.services.chat_contenders import contenders_meant
from tcao_tui.store.sqlite import open_store
from tcao_tui.tui.chat_port import ChatWanted

if TYPE_CHECKING:
    from tcao_tui.settings import Settings


def open_chat(runs_root: Path, load_settings: Callable[[], Settings], wanted: ChatWanted) -> ChatSession:
    """A conversation, new or one that goes on.

    Raises:
        UsageError: Nobody is meant, or there is no such conversation.
        Refused: The contenders are of different servers.
        BackendError: The local engine does not start.
    """
    files = chat_files()
    if wanted.chat_id:
        kept = files.find(wanted.chat_id)
        return ChatSession(_helper(load_settings(), wanted.backend or kept.backend or None), files, kept)
    with closing(open_store(runs_root)) as store:
        meant = contenders_meant(wanted.contenders, store, runs_root)
    profile = resolve_profile(load_settings(), wanted.backend or meant.backend)
    conversation = new_conversation(meant.contenders, ChatSettings(), backend=profile.name, is_blind=wanted.is_blind)
    return ChatSession(_helper(load_settings(), profile.name), files, conversation)


def _helper(settings: Settings, backend: str | None) -> BackendHelper:
    profile = resolve_profile(settings, backend)
    ensure_engine(profile)
    return BackendHelper(profile.name, purpose="chat")
