"""The hand-off from a console to a worker: a worker that has the run, or its error; never anything between."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from tcao_tui.domain.run_view import RunStatus
from tcao_tui.errors import ExitCode, NeedsInput, Refused, TcaoError
from tcao_tui.services.control import stop
from tcao_tui.services.launch import LaunchResult, create_run, resume, start_worker
from tcao_tui.services.runs import find_run
from tcao_tui.services.takeover import end_silent_worker
from tcao_tui.store.lease import RunLock
from tests.fakes.fake_tinker import FREE
from tests.fakes.run_lab import WORKER, Lab, until


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def start(lab: Lab, run_id: str) -> LaunchResult:
    return start_worker(lab.store, lab.root, run_id, env=lab.env(), command=WORKER)


def again(lab: Lab, run_id: str) -> LaunchResult:
    return resume(lab.store, lab.root, run_id, env=lab.env(), command=WORKER)


def wait_free(lab: Lab, run_id: str) -> None:
    until(lambda: not lab.store.lease(run_id).held)


def test_a_launch_returns_the_worker_that_has_the_run(lab: Lab) -> None:
    lab.server.set(step_seconds=0.05)
    run_id = lab.create()
    result = start(lab, run_id)
    assert (result.run_id, result.attempt, result.run_dir) == (run_id, 1, lab.root / run_id)
    assert lab.store.lease(run_id).pid == result.pid
    wait_free(lab, run_id)
    lab.check_completed(run_id)


def test_ids_sort_by_time_and_carry_the_name(lab: Lab) -> None:
    first, second = lab.create(), lab.create()
    assert first[:15] <= second[:15]
    assert first.split("-")[2] == "toy"
    assert first != second


def test_a_worker_that_dies_before_it_has_the_run_is_told_with_its_words(lab: Lab) -> None:
    run_id = lab.create()
    command = (sys.executable, "-c", "import sys; sys.exit('boom')")
    with pytest.raises(TcaoError, match="boom"):
        start_worker(lab.store, lab.root, run_id, command=command)


def test_the_workers_own_error_is_relayed_with_its_exit_code(lab: Lab) -> None:
    run_id = lab.create()
    config = lab.root / run_id / "training-config.yaml"
    config.write_text(config.read_text().replace("num_steps: 7", "num_steps: 8"))
    with pytest.raises(NeedsInput, match="not the one that was approved"):
        start(lab, run_id)
    assert lab.store.run(run_id).recorded_status is RunStatus.FAILED


def test_a_worker_that_never_speaks_is_ended(lab: Lab) -> None:
    run_id = lab.create()
    command = (sys.executable, "-c", "import time; time.sleep(600)")
    with pytest.raises(TcaoError, match="did not start within"):
        start_worker(lab.store, lab.root, run_id, command=command, timeout_seconds=0.3)


def test_of_two_consoles_one_launches_and_the_other_is_told_who_did(lab: Lab) -> None:
    lab.server.set(step_seconds=1.0)
    run_id = lab.create()
    results: list[LaunchResult | Refused] = []

    def console() -> None:
        try:
            results.append(start(lab, run_id))
        except Refused as error:
            results.append(error)

    threads = [threading.Thread(target=console) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won,) = [r for r in results if isinstance(r, LaunchResult)]
    (lost,) = [r for r in results if isinstance(r, Refused)]
    assert str(won.pid) in lost.what
    stop(lab.store, run_id, by="test")
    wait_free(lab, run_id)


def test_a_run_that_is_carried_out_or_completed_is_not_resumed(lab: Lab) -> None:
    lab.server.set(step_seconds=0.1)
    run_id = lab.create()
    result = start(lab, run_id)
    with pytest.raises(Refused, match=str(result.pid)):
        again(lab, run_id)
    wait_free(lab, run_id)
    with pytest.raises(Refused, match="completed"):
        again(lab, run_id)


def test_a_stopped_run_is_resumed_and_stop_is_then_refused(lab: Lab) -> None:
    lab.server.set(step_seconds=0.1)
    run_id = lab.create()
    start(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 1)
    stop(lab.store, run_id, by="test")
    until(lambda: find_run(lab.store, run_id).status is RunStatus.STOPPED)
    assert again(lab, run_id).attempt == 2
    wait_free(lab, run_id)
    lab.check_completed(run_id)
    with pytest.raises(Refused, match="not running: completed"):
        stop(lab.store, run_id, by="test")


def test_changed_data_refuses_a_resume_and_names_the_file(lab: Lab) -> None:
    run_id = lab.create()
    lab.data.write_bytes(b"{}\n" + lab.data.read_bytes())
    with pytest.raises(Refused) as caught:
        again(lab, run_id)
    assert str(lab.data) in caught.value.what
    assert caught.value.exit_code == ExitCode.REFUSED


def test_a_run_without_an_approval_is_not_started(lab: Lab) -> None:
    plan = lab.plan()
    approved = lab.store.approvals(lab.create(plan))[0]
    with pytest.raises(NeedsInput):
        create_run(lab.store, lab.root, lab.plan(num_steps=9), profile_name="fake", quote=FREE, approval=approved)


def test_a_frozen_worker_is_ended_by_a_resume_and_only_when_it_is_silent(lab: Lab) -> None:
    lab.server.set(step_seconds=0.1)
    run_id = lab.create(lab.plan(num_steps=30))
    frozen = start(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 3)
    with pytest.raises(Refused, match="is alive"):
        end_silent_worker(lab.store, lab.root, run_id)
    os.kill(frozen.pid, signal.SIGSTOP)
    until(lambda: (lab.store.lease(run_id).heartbeat_age_seconds or 0) > 0.5)
    end_silent_worker(lab.store, lab.root, run_id, silence_seconds=0.4)
    assert not lab.store.lease(run_id).held
    lab.server.set(step_seconds=0)
    again(lab, run_id)
    wait_free(lab, run_id)
    lab.check_completed(run_id)


def test_a_silent_holder_that_is_not_our_worker_is_never_signalled(lab: Lab) -> None:
    run_id = lab.create()
    lock = RunLock(lab.root / run_id)
    lock.acquire()
    (lab.root / run_id / "lock").write_text('{"pid": 1, "start_ticks": 1, "boot_id": "other", "host": "elsewhere"}')
    with pytest.raises(Refused, match="cannot be told"):
        end_silent_worker(lab.store, lab.root, run_id)
    lock.release()
