"""Rollouts as files of the run's directory: one per step, one JSON group per line, for people and the browser.

Never read back by a worker. A step that is trained anew overwrites its file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from tcao_tui.domain.rollouts import RolloutGroup
from tcao_tui.store.atomic_file import write_text

ROLLOUTS_DIR = "rollouts"


def rollouts_name(step: int) -> str:
    """Path of a step's file relative to the run's directory."""
    return f"{ROLLOUTS_DIR}/step-{step:06d}.jsonl"


def write_rollouts(run_dir: Path, step: int, groups: Sequence[RolloutGroup]) -> str:
    """Write the groups of one step whole; returns the name. Raises `OSError`."""
    path = run_dir / rollouts_name(step)
    path.parent.mkdir(exist_ok=True)
    write_text(path, "".join(group.model_dump_json() + "\n" for group in groups))
    return rollouts_name(step)


def read_rollouts(run_dir: Path, step: int) -> Iterator[RolloutGroup]:
    """Groups of one step; torn or foreign lines are left out. Raises `OSError`."""
    return read_rollout_file(run_dir, rollouts_name(step))


def read_rollout_file(run_dir: Path, name: str) -> Iterator[RolloutGroup]:
    """Groups of the file that a `RolloutsTaken` names; torn or foreign lines are left out.

    Raises:
        OSError: It cannot be read, or lies outside the run's directory.
    """
    path = (run_dir / name).resolve()
    if not path.is_relative_to(run_dir.resolve()):
        raise PermissionError(f"{name} is not in the run's directory")
    with path.open("rb") as file:
        for line in file:
            try:
                yield RolloutGroup.model_validate_json(line)
            except ValidationError:
                continue
