"""Going on with a run from an earlier checkpoint than its furthest: what that means, and doing it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.errors import Refused
from tcao_tui.services.checkpoint_names import resolve_checkpoint
from tcao_tui.services.checkpoint_places import CheckpointPlaces
from tcao_tui.services.launch import LaunchResult, resume
from tcao_tui.store.port import RunStore

WORKER = (sys.executable, "-m", "tcao_tui.worker")


@dataclass(frozen=True, slots=True)
class GoBack:
    """A run and the checkpoint that it is to go on from.

    Attributes:
        later: Checkpoints past it, which are no longer resumed from.
    """

    run: RunSummary
    record: CheckpointRecord
    later: tuple[CheckpointRecord, ...]

    @property
    def consequence(self) -> str:
        """What it means, for people, to be said before it is done."""
        name, step = one_line(self.run.name), self.record.step
        if not self.later and self.run.step <= step:
            return f"{name} goes on from step {step}, its furthest checkpoint."
        told = f"{name} goes back to step {step} of {self.run.step} and trains from there anew."
        if not self.later:
            return told
        count = "1 later checkpoint is" if len(self.later) == 1 else f"{len(self.later)} later checkpoints are"
        return (
            f"{told} {count} no part of it any more: it deletes them when it saves the next time, but for pinned ones."
        )


def plan_go_back(store: RunStore, run: RunSummary, place: str) -> GoBack:
    """What going back to `place` (a step, a checkpoint's name, or a `tinker://` path) would mean.

    Raises:
        UsageError: There is no such checkpoint.
        Refused: The run cannot go on from there.
    """
    reference = place if place.startswith("tinker://") else f"{run.run_id}:{place}"
    path = resolve_checkpoint(store, reference)
    usable = CheckpointPlaces(store).of_run(run).records()
    record = next((r for r in usable if path in (r.state_path, r.sampler_path)), None)
    if record is None:
        raise Refused(
            f"{run.run_id} cannot go on from {path}: it is not its own, is deleted, or was gone back behind already",
            next_step=f"tcao plan --from {path} starts a new run from it",
        )
    return GoBack(run, record, tuple(r for r in usable if r.step > record.step))


def go_back(
    store: RunStore,
    runs_root: Path,
    wanted: GoBack,
    *,
    by: str,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = WORKER,
) -> LaunchResult:
    """Start an attempt that goes on from there; arguments and errors are those of `services.launch.resume`."""
    chosen = (*command, "--back-to", wanted.record.name, "--by", by)
    return resume(store, runs_root, wanted.run.run_id, env=env, command=chosen)
