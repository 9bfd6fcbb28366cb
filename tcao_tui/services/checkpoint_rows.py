"""Rows of the browser: checkpoints of a server with the run that saved each, notes, and what keeping them costs."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from tcao_tui.clients.prices import storage_price
from tcao_tui.domain.checkpoint_listing import (
    NO_NOTE,
    ListedCheckpoint,
    OwnCheckpoint,
    ServerCheckpoint,
    TrainingRun,
    storage_usd_per_month,
)
from tcao_tui.services.backends import Profile
from tcao_tui.services.checkpoint_places import CheckpointPlaces
from tcao_tui.services.evaluated_scores import EvaluatedScores
from tcao_tui.store.port import RunStore


class CheckpointRows:
    """Joins what a server lists with our store; usable from any thread.

    Args:
        store: The run store.
        profile: The server.
    """

    def __init__(self, store: RunStore, profile: Profile) -> None:
        self._store, self._profile = store, profile
        self._places = CheckpointPlaces(store)
        self._scores = EvaluatedScores(store.evaluations)
        self._lock = threading.Lock()
        self._gone: Set[str] = frozenset[str]()

    def of(
        self, found: Mapping[str, ServerCheckpoint], runs: Mapping[str, TrainingRun], *, complete: bool = False
    ) -> tuple[ListedCheckpoint, ...]:
        """Rows of what was listed, by path; once that is complete, resume points that are not there do not count."""
        owners = self._owners([*found.values()])
        if complete:
            self._gone = {path for own in owners.values() for path in own.resume_points} - found.keys()
            owners = {path: _without(own, self._gone) for path, own in owners.items()}
        notes = self._store.checkpoint_notes.all()
        price = storage_price(self._profile.kind, self._profile.base_url)
        return tuple(
            ListedCheckpoint(
                server=checkpoint,
                training_run=runs.get(checkpoint.training_run),
                own=owners.get(path),
                note=notes.get(path, NO_NOTE),
                storage_usd_per_month=storage_usd_per_month(checkpoint.size_bytes, price),
            )
            for path, checkpoint in found.items()
        )

    def again(self, rows: Sequence[ListedCheckpoint]) -> list[ListedCheckpoint]:
        """The same with what our runs and notes say by now."""
        owners = {path: _without(own, self._gone) for path, own in self._owners([r.server for r in rows]).items()}
        notes = self._store.checkpoint_notes.all()
        return [replace(row, own=owners.get(row.path), note=notes.get(row.path, NO_NOTE)) for row in rows]

    def recorded(self) -> list[ServerCheckpoint]:
        """What our runs on this server recorded, for one that lists nothing."""
        with self._lock:
            return self._places.recorded(self._profile.name)

    def _owners(self, checkpoints: Sequence[ServerCheckpoint]) -> dict[str, OwnCheckpoint]:
        with self._lock:
            return self._scores.added_to(self._places.owners(checkpoints, self._profile.name))


def _without(own: OwnCheckpoint, gone: Set[str]) -> OwnCheckpoint:
    return replace(own, resume_points=tuple(path for path in own.resume_points if path not in gone))
