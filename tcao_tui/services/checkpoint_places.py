"""Joins checkpoints of a server with the runs of our store that saved them; folds are kept for the next time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tcao_tui.domain.checkpoint_listing import CheckpointKind, OwnCheckpoint, ServerCheckpoint, training_run_of
from tcao_tui.domain.checkpoint_places import RunPlaces
from tcao_tui.domain.checkpoints import RUN_KEY, CheckpointRecord, parse_checkpoint_name
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.services.runs import list_runs
from tcao_tui.store.port import PAST_EVERY_ROW, Cursor, RunStore


class CheckpointPlaces:
    """Folds of the runs whose checkpoints were looked at; for one thread at a time.

    Args:
        store: The run store.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._folded: dict[str, tuple[RunPlaces, Cursor]] = {}

    def of_run(self, summary: RunSummary) -> RunPlaces:
        """The fold of one run, brought up to date; `summary` with liveness judged."""
        places, cursor = self._folded.get(summary.run_id) or (
            RunPlaces(summary),
            Cursor(spend=PAST_EVERY_ROW),
        )
        places.summary = summary
        more = True
        while more:
            batch = self._store.read(summary.run_id, cursor, validations=True)
            for stored in batch.events:
                places.apply(stored)
            for row in batch.metrics:
                places.apply_validation(row)
            cursor, more = batch.cursor, batch.more
        self._folded[summary.run_id] = places, cursor
        return places

    def owners(self, checkpoints: Sequence[ServerCheckpoint], backend: str) -> dict[str, OwnCheckpoint]:
        """What our runs know of these checkpoints, by path.

        Args:
            checkpoints: As listed.
            backend: Name of the server's profile: a checkpoint that does not name its run may belong to any of it.
        """
        runs = {run.run_id: run for run in list_runs(self._store)}
        found: dict[str, OwnCheckpoint] = {}
        named = {c.path: c.metadata[RUN_KEY] for c in checkpoints if RUN_KEY in c.metadata}
        if any(c.path not in named and parse_checkpoint_name(c.name) for c in checkpoints):
            named |= self._recorded(run for run in runs.values() if run.backend == backend)
        places = {run_id: self.of_run(runs[run_id]) for run_id in {*named.values()} & runs.keys()}
        for checkpoint in checkpoints:
            place = places.get(named.get(checkpoint.path, ""))
            if place is not None and (own := place.own(checkpoint)) is not None:
                found[checkpoint.path] = own
        return found

    def recorded(self, backend: str) -> list[ServerCheckpoint]:
        """What the runs of a profile recorded, for a server that lists nothing."""
        runs = [run for run in list_runs(self._store) if run.backend == backend]
        return [found for run in runs for record in self.of_run(run).all_records() for found in as_listed(record, run)]

    def _recorded(self, runs: Iterable[RunSummary]) -> Mapping[str, str]:
        """Run of each path that a run recorded."""
        return {
            path: run.run_id
            for run in runs
            for record in self.of_run(run).all_records()
            for path in (record.state_path, record.sampler_path)
            if path is not None
        }


def as_listed(record: CheckpointRecord, run: RunSummary) -> list[ServerCheckpoint]:
    """The training state of a recorded checkpoint, then its weights to sample from, as a server would list them."""
    kinds: list[tuple[CheckpointKind, str | None]] = [("training", record.state_path), ("sampler", record.sampler_path)]
    return [
        ServerCheckpoint(
            path=path,
            training_run=training_run_of(path),
            name=record.name,
            kind=kind,
            expires_at=record.expires_at,
            metadata={RUN_KEY: run.run_id},
        )
        for kind, path in kinds
        if path is not None
    ]
