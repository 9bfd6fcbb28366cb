"""What is remembered of a sweep: `runs/_sweeps/<name>/sweep.json`, written whole, beside the sweeper's lock and log.

Only the holder of the lock writes it once the sweep is made. What became of the runs stands in the run store.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.sweep import NAME_PATTERN, Overrides
from tcao_tui.errors import Refused, UsageError
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.port import Approval

SWEEPS_DIR = "_sweeps"
LOG_NAME = "sweep.log"
_FILE_NAME = "sweep.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CellRecord(_Part):
    """One cell.

    Attributes:
        plan: As it was judged and approved, bound to its data.
        claimed_at: When a sweeper set out to make its run, Unix seconds; a run of its name that is younger is its run.
        run_id: Empty until that is known.
        problem: Why its run could not be started, the last time it was tried.
    """

    index: int = Field(ge=1)
    name: str
    overrides: Overrides
    plan: Plan
    approval: Approval
    cost: CostEstimate
    claimed_at: float | None = None
    run_id: str = ""
    problem: str = ""


class SweepRecord(_Part):
    """A sweep and how far it is.

    Attributes:
        profile: Name of the backend's profile.
        max_parallel: Runs at a time.
        by: Key of the metric that cells are judged by.
        purpose: A range test is read by its training losses.
    """

    version: Literal[1] = 1
    name: str
    created_at: float
    profile: str
    max_parallel: int = Field(ge=1)
    by: str
    purpose: Literal["sweep", "range_test"] = "sweep"
    cells: tuple[CellRecord, ...]

    def with_cell(self, cell: CellRecord) -> Self:
        """The same with one cell replaced."""
        return self.model_copy(update={"cells": tuple(cell if c.index == cell.index else c for c in self.cells)})


def sweep_dir(runs_root: Path, name: str) -> Path:
    """Directory of a sweep. Raises `UsageError` when the name is no name of a sweep, such as `../x`."""
    if not NAME_PATTERN.match(name):
        raise UsageError(f"{name!r} cannot be the name of a sweep", next_step="tcao sweep --ls")
    return runs_root / SWEEPS_DIR / name


def create_sweep(runs_root: Path, record: SweepRecord) -> Path:
    """Make a sweep known; returns its directory. Raises `Refused` when the name is taken."""
    place = sweep_dir(runs_root, record.name)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (place / _FILE_NAME).exists():
        raise Refused(
            f"there is a sweep {record.name} already",
            where=str(place),
            next_step=f"tcao sweep --resume {record.name}, or choose another --name",
        )
    write_sweep(runs_root, record)
    return place


def write_sweep(runs_root: Path, record: SweepRecord) -> None:
    """Replace what is remembered; a reader sees the old file or the new one."""
    write_text(sweep_dir(runs_root, record.name) / _FILE_NAME, record.model_dump_json(indent=1) + "\n")


def read_sweep(runs_root: Path, name: str) -> SweepRecord:
    """What is remembered of a sweep.

    Raises:
        UsageError: There is none of that name, or its file is not one that this version reads.
    """
    path = sweep_dir(runs_root, name) / _FILE_NAME
    try:
        return SweepRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        known = ", ".join(sweep_names(runs_root)[:5])
        raise UsageError(
            f"there is no sweep {name}" + (f"; there are: {known}" if known else ""), next_step="tcao sweep --ls"
        ) from None
    except (OSError, ValidationError) as error:
        problem = f"{error.error_count()} values do not fit" if isinstance(error, ValidationError) else str(error)
        raise UsageError(f"the record of sweep {name} cannot be read: {problem}", where=str(path)) from error


def record_changed_at(runs_root: Path, name: str) -> int:
    """When a sweep's record was replaced last, nanoseconds. Raises `OSError`."""
    return (sweep_dir(runs_root, name) / _FILE_NAME).stat().st_mtime_ns


def sweep_names(runs_root: Path) -> list[str]:
    """Names of all sweeps, the one that changed last first."""
    files = [(path.stat().st_ctime, path) for path in (runs_root / SWEEPS_DIR).glob(f"*/{_FILE_NAME}")]
    return [path.parent.name for _, path in sorted(files, reverse=True)]
