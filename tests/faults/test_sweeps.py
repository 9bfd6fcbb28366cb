"""A sweep under kills: no cell is ever run twice, no worker is touched, and a second sweeper goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.events import Finished
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.errors import Refused, TcaoError
from tcao_tui.services import launch, sweep_driver
from tcao_tui.services.control import stop
from tcao_tui.services.launch import LaunchResult
from tcao_tui.services.runs import list_runs
from tcao_tui.services.sweep_driver import Sweeper
from tcao_tui.services.sweep_follow import sweep_now
from tcao_tui.store.lease import RunLock
from tcao_tui.store.port import Approval, RunStore
from tcao_tui.store.sweep_file import read_sweep, sweep_dir
from tests.fakes import run_records
from tests.fakes.run_lab import REPOSITORY, Lab, until
from tests.fakes.sweeps import PROFILE, make, sweeper


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def names(lab: Lab) -> list[str]:
    return sorted(run.name for run in lab.store.runs())


def completes(store: RunStore, _: Path, run_id: str, *, approval: Approval | None = None) -> LaunchResult:
    """A worker that is done at once; consent that comes with a resume is kept, as `launch.resume` does."""
    if approval is not None:
        store.approve(run_id, approval)
    writer = store.writer(run_id)
    run_records.launch(writer)
    run_records.train(writer, 1, 3)
    writer.commit(events=[Finished(outcome="completed", exit_code=0)])
    return LaunchResult(run_id, Path(), 1, writer.attempt, writer.fence)


def in_process(lab: Lab, **changes: Any) -> Sweeper:
    given: dict[str, Any] = {"start_worker": completes, "resume_run": completes, "report": lambda _: None}
    return Sweeper(lab.store, lab.root, "try", PROFILE, **{**given, **changes})


def test_every_cell_runs_once_in_real_workers_and_the_table_has_them_all(lab: Lab) -> None:
    make(lab)
    told: list[str] = []
    sweeper(lab, report=told.append).run()
    assert names(lab) == ["try-01", "try-02", "try-03"]
    for run in lab.store.runs():
        lab.check_completed(run.run_id)
    _, found, _ = sweep_now(lab.store, lab.root, "try")
    assert [row.status for row in found.rows] == ["completed"] * 3
    assert found.is_over
    assert [line for line in told if "runs as" in line] == [
        f"cell {cell.index} runs as {cell.run_id}" for cell in read_sweep(lab.root, "try").cells
    ]


def test_a_killed_sweeper_touches_no_worker_and_a_second_one_runs_only_what_is_left(lab: Lab) -> None:
    lab.server.set(step_seconds=0.05)
    make(lab, parallel=1)
    command = [sys.executable, "-m", "tests.fakes.sweeps", str(lab.place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=lab.env(), cwd=REPOSITORY) as process:
        assert process.stdout is not None
        until(lambda: "cell 1 runs as" in process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    [first] = lab.store.runs()
    until(lambda: not lab.store.lease(first.run_id).held)
    lab.check_completed(first.run_id)
    assert names(lab) == ["try-01"]
    lab.server.set(step_seconds=0.0)
    sweeper(lab).run()
    assert names(lab) == ["try-01", "try-02", "try-03"]
    assert {run.attempt for run in lab.store.runs()} == {1}


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


POINTS = 12
"""Side effects of a sweep of two cells."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("point", range(POINTS))
def test_a_death_at_any_side_effect_neither_loses_a_cell_nor_runs_it_twice(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, point: int, after: bool
) -> None:
    make(lab, (((("training.seed"), 1),), ((("training.seed"), 2),)))
    count = iter(range(10**6))

    def deadly(action: Callable[..., Any]) -> Callable[..., Any]:
        def act(*given: Any, **options: Any) -> Any:
            here = next(count) == point
            if here and not after:
                raise Killed
            done = action(*given, **options)
            if here:
                raise Killed
            return done

        return act

    with monkeypatch.context() as patch:
        patch.setattr(sweep_driver, "write_sweep", deadly(sweep_driver.write_sweep))
        patch.setattr(launch, "create_run", deadly(launch.create_run))
        patch.setattr(lab.store, "create_run", deadly(lab.store.create_run))
        patch.setattr(lab.store, "approve", deadly(lab.store.approve))
        with suppress(Killed):
            in_process(lab, start_worker=deadly(completes)).run()
    assert next(count) > point, "the point was never reached"
    in_process(lab).run()
    assert names(lab) == ["try-01", "try-02"]
    assert {run.status for run in list_runs(lab.store)} == {RunStatus.COMPLETED}
    assert {run.attempt for run in lab.store.runs()} == {1}
    assert all(lab.store.approvals(run.run_id) for run in lab.store.runs())


def test_two_sweepers_never_work_on_one_sweep(lab: Lab) -> None:
    make(lab)
    lock = RunLock(sweep_dir(lab.root, "try"))
    lock.acquire()
    with pytest.raises(Refused, match="sweep try is being carried out by process"):
        in_process(lab).run()
    assert names(lab) == []
    lock.release()


def test_never_more_runs_than_the_limit(lab: Lab) -> None:
    make(lab, parallel=2)
    live: set[str] = set()
    most: list[int] = []
    locks: list[RunLock] = []

    def starts(store: RunStore, root: Path, run_id: str) -> LaunchResult:
        lock = RunLock(root / run_id)
        lock.acquire()
        locks.append(lock)
        run_records.launch(store.writer(run_id))
        live.add(run_id)
        most.append(len(live))
        return LaunchResult(run_id, root, 1, 1, 1)

    def passes(_: float) -> None:
        lock = locks.pop(0)
        done = sorted(live)[0]
        store_writer = lab.store.writer(done)
        store_writer.commit(events=[Finished(outcome="completed", exit_code=0)])
        lock.release()
        live.discard(done)

    in_process(lab, start_worker=starts, sleep=passes).run()
    assert max(most) == 2
    assert len(lab.store.runs()) == 3


def test_a_cell_that_cannot_be_started_is_told_and_tried_again_by_the_next_sweeper(lab: Lab) -> None:
    make(lab)

    def fails(*_: Any, **options: Any) -> LaunchResult:
        raise TcaoError("no worker today")

    told: list[str] = []
    in_process(lab, start_worker=fails, report=told.append).run()
    assert sum("could not be started: no worker today" in line for line in told) == 3
    assert [cell.problem for cell in read_sweep(lab.root, "try").cells] == ["no worker today"] * 3
    in_process(lab).run()
    assert names(lab) == ["try-01", "try-02", "try-03"]
    assert [cell.problem for cell in read_sweep(lab.root, "try").cells] == [""] * 3


def test_data_that_changed_since_the_approval_keeps_a_cell_from_being_made(lab: Lab) -> None:
    make(lab)
    lab.data.write_text('{"input": "other", "output": "rows"}\n')
    in_process(lab).run()
    assert names(lab) == []
    assert all("is not the file that was approved" in cell.problem for cell in read_sweep(lab.root, "try").cells)


def test_a_cell_that_was_stopped_goes_on_when_the_sweep_does(lab: Lab) -> None:
    lab.server.set(step_seconds=0.05)
    make(lab, (((("training.seed"), 1),),))
    asked: list[int] = []

    def report(line: str) -> None:
        if "runs as" in line and not asked:
            [run] = lab.store.runs()
            asked.append(stop(lab.store, run.run_id, by="test"))

    sweeper(lab, report=report).run()
    [run] = list_runs(lab.store)
    assert run.status is RunStatus.STOPPED
    lab.server.set(step_seconds=0.0)
    sweeper(lab).run()
    [run] = list_runs(lab.store)
    assert (run.status, run.attempt) == (RunStatus.COMPLETED, 2)


def test_a_run_of_the_same_name_that_is_not_the_cells_is_left_alone(lab: Lab) -> None:
    other = lab.create(lab.plan(run_name="try-01"))
    make(lab, (((("training.seed"), 1),),))
    in_process(lab).run()
    assert names(lab) == ["try-01", "try-01"]
    assert lab.store.run(other).recorded_status is RunStatus.CREATED
