"""The sweeper: launches the unfinished cells of a sweep, some at a time, and waits until they are over.

It can be killed at any moment and started again. Before a run is made its cell is claimed on disk; a sweeper that
finds a claim without a run looks for the run by its name, so that no cell is ever run twice. The runs' workers are
processes of their own that nothing here ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tcao_tui.domain.liveness import with_status
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.domain.sweep import varied, words
from tcao_tui.errors import Refused, TcaoError
from tcao_tui.services import launch
from tcao_tui.services.backends import Profile, ensure_engine
from tcao_tui.services.driver_start import driving
from tcao_tui.services.plans import changed_data
from tcao_tui.services.sweep_follow import run_of
from tcao_tui.store.port import RunStore
from tcao_tui.store.sweep_file import CellRecord, SweepRecord, read_sweep, sweep_dir, write_sweep

POLL_SECONDS = 0.5

Start = Callable[..., launch.LaunchResult]


class Sweeper:
    """Carries one sweep out.

    Args:
        store: The run store.
        runs_root: Its root.
        name: The sweep.
        profile: Its backend.
        report: Is told what happens, a line each.
        start_worker: `launch.start_worker`.
        resume_run: `launch.resume`.
        clock: Unix seconds.
        sleep: Waits.
    """

    def __init__(
        self,
        store: RunStore,
        runs_root: Path,
        name: str,
        profile: Profile,
        *,
        report: Callable[[str], None],
        start_worker: Start = launch.start_worker,
        resume_run: Start = launch.resume,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._runs_root, self._name, self._profile = store, runs_root, name, profile
        self._report, self._clock, self._sleep = report, clock, sleep
        self._start_worker, self._resume_run = start_worker, resume_run
        self._record = read_sweep(runs_root, name)
        self._keys = varied([cell.overrides for cell in self._record.cells])
        self._told: dict[int, RunStatus] = {}

    def run(self) -> SweepRecord:
        """Go on with every cell that is not completed, until none of them is live; returns the record.

        Raises:
            Refused: Another sweeper has the sweep.
        """
        place = sweep_dir(self._runs_root, self._name)
        with driving(place, what=f"sweep {self._name}", next_step=f"tcao sweep --show {self._name}"):
            return self._drive()

    def _drive(self) -> SweepRecord:
        self._record = read_sweep(self._runs_root, self._name)
        for cell in self._record.cells:
            self._save(cell.model_copy(update={"run_id": run_of(self._store, cell), "problem": ""}))
        statuses = self._statuses()
        queue = [index for index, status in statuses.items() if not (status is RunStatus.COMPLETED or _is_live(status))]
        while True:
            statuses = self._statuses()
            self._tell(statuses)
            live = sum(_is_live(status) for status in statuses.values())
            if not queue and not live:
                return self._record
            if queue and live < self._record.max_parallel:
                self._start(next(cell for cell in self._record.cells if cell.index == queue[0]))
                queue.pop(0)
                continue
            self._sleep(POLL_SECONDS)

    def _statuses(self) -> dict[int, RunStatus | None]:
        found: dict[int, RunStatus | None] = {}
        for cell in self._record.cells:
            status = None
            if cell.run_id:
                status = with_status(self._store.run(cell.run_id), self._store.lease(cell.run_id)).status
            found[cell.index] = status
        return found

    def _tell(self, statuses: Mapping[int, RunStatus | None]) -> None:
        for cell in self._record.cells:
            status = statuses[cell.index]
            if status is None or status is self._told.get(cell.index):
                continue
            if not _is_live(status) and status is not RunStatus.CREATED:
                self._report(f"cell {cell.index} {status}: {cell.run_id}")
            self._told[cell.index] = status

    def _start(self, cell: CellRecord) -> None:
        self._report(f"cell {cell.index} of {len(self._record.cells)}: {words(cell.overrides, self._keys)}")
        try:
            ensure_engine(self._profile)
            cell = self._with_run(cell)
        except (TcaoError, OSError) as error:
            what = str(error)
            self._save(self._latest(cell).model_copy(update={"problem": what}))
            self._report(f"cell {cell.index} could not be started: {what}")
            return
        self._report(f"cell {cell.index} runs as {cell.run_id}")

    def _with_run(self, cell: CellRecord) -> CellRecord:
        if cell.run_id:
            approvals = self._store.approvals(cell.run_id)
            self._resume_run(self._store, self._runs_root, cell.run_id, approval=None if approvals else cell.approval)
            return cell
        if problems := changed_data(cell.plan):
            raise Refused("\n".join(problems), next_step="restore the file, or make another sweep")
        cell = self._save(cell.model_copy(update={"claimed_at": self._clock()}))
        run_id = launch.create_run(
            self._store,
            self._runs_root,
            cell.plan,
            profile_name=self._record.profile,
            quote=launch.check_approval(cell.plan, [cell.approval]),
            approval=cell.approval,
            cost=cell.cost,
            clock=self._clock,
        )
        cell = self._save(cell.model_copy(update={"run_id": run_id}))
        self._start_worker(self._store, self._runs_root, run_id)
        return cell

    def _latest(self, cell: CellRecord) -> CellRecord:
        return next(known for known in self._record.cells if known.index == cell.index)

    def _save(self, cell: CellRecord) -> CellRecord:
        if cell != self._latest(cell):
            self._record = self._record.with_cell(cell)
            write_sweep(self._runs_root, self._record)
        return cell


def _is_live(status: RunStatus | None) -> bool:
    return status is not None and status.is_live
