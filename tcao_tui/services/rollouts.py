"""Rollouts of a run of the store: which steps have some, and the groups of one step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.rollouts import RolloutGroup
from tcao_tui.domain.training_events import RolloutsTaken
from tcao_tui.errors import UsageError
from tcao_tui.services.follow import read_view
from tcao_tui.services.runs import find_run
from tcao_tui.store.port import RunStore
from tcao_tui.store.rollout_files import read_rollout_file


@dataclass(frozen=True, slots=True)
class TakenRollouts:
    """The groups of one step; `steps` are all that have rollouts, ascending."""

    run_id: str
    steps: tuple[int, ...]
    taken: RolloutsTaken
    groups: tuple[RolloutGroup, ...]


def rollouts_of(store: RunStore, runs_root: Path, reference: str, step: int | None = None) -> TakenRollouts:
    """Rollouts of a run by id, name or `latest`; of its newest step unless one is named. Blocks on disk.

    Raises:
        UsageError: There is no such run, it has no rollouts of that step, or their file cannot be read.
    """
    view = read_view(store, find_run(store, reference).run_id)
    by_step = {taken.step: taken for taken in view.marks.rollouts}
    if not by_step:
        raise UsageError(
            f"{view.run_id} has no rollouts: {view.method} keeps none, or no step is trained yet",
            next_step=f"tcao show {view.run_id} --samples",
        )
    taken = by_step.get(max(by_step) if step is None else step)
    if taken is None:
        near = min(by_step, key=lambda known: abs(known - (step or 0)))
        raise UsageError(
            f"{view.run_id} has no rollouts of step {step}; the nearest are of step {near}",
            next_step=f"tcao rollouts {view.run_id} --step {near}",
        )
    groups = read_groups(runs_root / view.run_id, taken)
    return TakenRollouts(view.run_id, tuple(sorted(by_step)), taken, groups)


def read_groups(run_dir: Path, taken: RolloutsTaken) -> tuple[RolloutGroup, ...]:
    """The groups of one step from the run's directory. Raises `UsageError` when the file cannot be read."""
    try:
        return tuple(read_rollout_file(run_dir, taken.file))
    except OSError as error:
        raise UsageError(
            f"cannot read the rollouts of step {taken.step}: {error.strerror or error}",
            where=str(run_dir / taken.file),
            next_step="the run itself is whole without them: tcao verify-run latest",
        ) from error
