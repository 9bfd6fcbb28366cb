"""Following sweeps: each one's record and the runs of its cells, as one table per poll. Reads only."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tcao_tui.domain.pipeline import total_steps
from tcao_tui.domain.range_test import RangeRun, judge_range
from tcao_tui.domain.run_view import RunSummary, RunView
from tcao_tui.domain.sweep_table import PROBLEM, CellRow, FollowedSweep, SweepTable, measure_for, row_of, table
from tcao_tui.errors import UsageError
from tcao_tui.services.follow import Follower
from tcao_tui.store.lease import RunLock
from tcao_tui.store.port import RunStore
from tcao_tui.store.sweep_file import CellRecord, SweepRecord, read_sweep, record_changed_at, sweep_dir, sweep_names


class SweepSource:
    """A sweep that can be watched.

    Args:
        store: The run store.
        runs_root: Its root.
        name: The sweep.

    Raises:
        UsageError: There is no such sweep.
    """

    def __init__(self, store: RunStore, runs_root: Path, name: str) -> None:
        self._store, self._runs_root, self._name = store, runs_root, name
        self._followers: dict[int, Follower] = {}
        self._views: dict[int, RunView] = {}
        self.record = read_sweep(runs_root, name)
        self.caught_up = False

    def poll(self) -> SweepTable:
        """The table as it stands; blocks on disk, bounded as `Follower.poll` for each cell."""
        self.record = read_sweep(self._runs_root, self._name)
        measure = measure_for(self.record.cells[0].plan, self.record.by)
        rows = [self._row(cell) for cell in self.record.cells]
        rows = [row_of(row, self._views[row.index], measure) if row.index in self._views else row for row in rows]
        self.caught_up = all(follower.caught_up for follower in self._followers.values())
        driven = RunLock.probe(sweep_dir(self._runs_root, self._name))
        found = table(self._name, rows, measure, is_driven=driven)
        return found if self.record.purpose == "sweep" else _as_range_test(found, self.record, self._views)

    def views(self) -> dict[int, RunView]:
        """The runs of the last poll, by the number of their cell."""
        return dict(self._views)

    def close(self) -> None:
        """End helper processes; the store belongs to whoever opened it."""
        for follower in self._followers.values():
            follower.close()

    def _row(self, cell: CellRecord) -> CellRow:
        run_id = run_of(self._store, cell)
        if run_id and cell.index not in self._followers:
            with suppress(UsageError):  # the store of a sweep that was moved without its runs
                self._followers[cell.index] = Follower(self._store, run_id)
        if cell.index in self._followers:
            self._views[cell.index] = self._followers[cell.index].poll()
        row = CellRow(cell.index, cell.overrides, cell.name, total_steps=total_steps(cell.plan))
        if cell.problem and cell.index not in self._views:
            return replace(row, status=PROBLEM, problem=cell.problem)
        return row


class SweepList:
    """All sweeps of a runs root; what is over is read again only when one of its runs, or its record, changed.

    Args:
        store: The run store; closed with this.
        runs_root: Its root.
    """

    def __init__(self, store: RunStore, runs_root: Path) -> None:
        self._store, self._runs_root = store, runs_root
        self._sources: dict[str, SweepSource] = {}
        self._found: dict[str, tuple[Hashable, SweepTable]] = {}

    def poll(self) -> list[FollowedSweep]:
        """Every sweep as it stands, the one that changed last first; blocks on disk."""
        runs = {run.run_id: run for run in self._store.runs()}
        return [self._follow(name, runs) for name in sweep_names(self._runs_root)]

    def close(self) -> None:
        """End helper processes and close the store."""
        for source in self._sources.values():
            source.close()
        self._store.close()

    def _follow(self, name: str, runs: Mapping[str, RunSummary]) -> FollowedSweep:
        try:
            if name not in self._sources:
                self._sources[name] = SweepSource(self._store, self._runs_root, name)
            source = self._sources[name]
            ran = tuple(runs.get(cell.run_id) for cell in source.record.cells)
            stands = record_changed_at(self._runs_root, name), ran
            known, found = self._found.get(name, (None, None))
            if found is None or not (found.is_over and source.caught_up and stands == known):
                found = source.poll()
                self._found[name] = stands, found
        except (UsageError, OSError) as error:
            return FollowedSweep(name, None, str(error))
        return FollowedSweep(name, found)


def _as_range_test(found: SweepTable, record: SweepRecord, views: Mapping[int, RunView]) -> SweepTable:
    """The table with what the losses say, and the run that they speak for marked."""
    runs = [
        RangeRun(cell.index, cell.plan.training.learning_rate, cell.plan.training.lora_rank, list(losses.values))
        for cell in record.cells
        if cell.index in views and (losses := views[cell.index].series.get(record.by)) is not None
    ]
    judged = judge_range(runs)
    best = judged.best.index if judged.best is not None else 0
    rows = tuple(replace(row, is_best=row.index == best) for row in found.rows)
    so_far = "" if found.is_over else "so far: "
    return replace(found, rows=rows, verdict=so_far + judged.sentence)


def run_of(store: RunStore, cell: CellRecord) -> str:
    """The run of a cell, also where the sweeper was killed before it wrote it down; empty when there is none."""
    if cell.run_id or cell.claimed_at is None:
        return cell.run_id
    for summary in store.runs():
        if summary.name == cell.name and summary.created_at >= cell.claimed_at:
            given = store.approvals(summary.run_id)
            if not given or given[-1].approval_hash == cell.approval.approval_hash:
                return summary.run_id
    return ""


def sweep_now(store: RunStore, runs_root: Path, name: str) -> tuple[SweepRecord, SweepTable, dict[int, RunView]]:
    """A sweep as it is now, read to the end: its record, its table, and the runs by cell."""
    source = SweepSource(store, runs_root, name)
    try:
        found = source.poll()
        while not source.caught_up:
            found = source.poll()
        return source.record, found, source.views()
    finally:
        source.close()
