"""The checkpoint browser wired to the services; like `wiring`, a part of the TUI that calls them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tcao_tui.domain.checkpoint_actions import Action
from tcao_tui.domain.checkpoint_listing import CheckpointListing, ListedCheckpoint
from tcao_tui.services.backend_helper import BackendHelper
from tcao_tui.services.backends import Profile
from tcao_tui.services.checkpoint_details import CheckpointDetails, details, settings_at
from tcao_tui.services.checkpoints import ActionReport, CheckpointDesk
from tcao_tui.store.sqlite import SqliteStore


class ConsoleCheckpoints:
    """The checkpoints of one server as the browser sees them; see `ports.CheckpointsPort`.

    Args:
        store: The run store, closed with it.
        runs_root: Its root.
        profile: The server.
    """

    def __init__(self, store: SqliteStore, runs_root: Path, profile: Profile) -> None:
        self._store, self._runs_root, self._profile = store, runs_root, profile
        self._helper = BackendHelper(profile.name)
        self._desk = CheckpointDesk(store, profile, self._helper)
        self._listing: CheckpointListing | None = None

    @property
    def backend(self) -> str:
        """Name of the server's profile."""
        return self._profile.name

    def listing(self, on_page: Callable[[CheckpointListing], None]) -> CheckpointListing:
        """All checkpoints; resume points of runs that are down and would be lost within a week are extended."""
        self._listing = self._desk.listing(on_page)
        if not self._desk.offers.why_not("ttl"):
            self._desk.guard(self._listing)
        return self._listing

    def details(self, checkpoint: ListedCheckpoint) -> CheckpointDetails:
        """What it was made of."""
        assert self._listing is not None
        return details(self._helper, self._runs_root, checkpoint, self._listing)

    def settings(self, checkpoint: ListedCheckpoint) -> Mapping[str, Any]:
        """What made the weights, by key path."""
        return settings_at(self._runs_root, checkpoint)

    def act(
        self,
        action: Action,
        checkpoints: Sequence[ListedCheckpoint],
        *,
        typed: str = "",
        ttl_seconds: int | None = None,
        label: str = "",
        on_done: Callable[[str], None] | None = None,
    ) -> ActionReport:
        """Do it."""
        return self._desk.act(action, checkpoints, typed=typed, ttl_seconds=ttl_seconds, label=label, on_done=on_done)

    def close(self) -> None:
        """Let the server go in the background, since ending its session takes a while."""
        threading.Thread(target=self._end, name="close checkpoints", daemon=True).start()

    def _end(self) -> None:
        self._helper.close()
        self._store.close()
