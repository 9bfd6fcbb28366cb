from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tcao_tui.errors import Refused, TcaoError
from tcao_tui.store.lease import RunLock, boot_id, holder, process_identity
from tcao_tui.store.sqlite import open_store
from tests.fakes.run_records import new_run
from tests.fakes.store_process import spawn


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "run-1"
    directory.mkdir()
    return directory


def test_a_lock_is_held_until_it_is_released(run_dir: Path) -> None:
    lock = RunLock(run_dir)
    assert not RunLock.probe(run_dir)
    lock.acquire()
    lock.acquire()
    assert (lock.is_held, RunLock.probe(run_dir)) == (True, True)
    lock.release()
    lock.release()
    assert (lock.is_held, RunLock.probe(run_dir)) == (False, False)
    assert stat.S_IMODE((run_dir / "lock").stat().st_mode) == 0o600


def test_a_second_worker_is_refused_and_told_who_has_the_run(run_dir: Path) -> None:
    first = RunLock(run_dir)
    first.acquire()
    with pytest.raises(Refused, match=f"run-1 is being carried out by process {os.getpid()} on "):
        RunLock(run_dir).acquire(timeout_seconds=0)
    first.release()


def test_the_holder_is_one_process_for_good(run_dir: Path) -> None:
    assert holder(run_dir) is None
    lock = RunLock(run_dir)
    lock.acquire()
    told = holder(run_dir)
    assert told == process_identity()
    assert told is not None
    assert (told.pid, told.boot_id) == (os.getpid(), boot_id())
    lock.release()


@pytest.mark.parametrize("written", [b"", b"[]", b'{"pid": "x"}', b'{"pid": 1}', b"\xff\xfe"])
def test_a_lock_file_with_anything_else_in_it_names_nobody(run_dir: Path, written: bytes) -> None:
    (run_dir / "lock").write_bytes(written)
    assert holder(run_dir) is None
    lock = RunLock(run_dir)
    lock.acquire()
    assert holder(run_dir) == process_identity()
    lock.release()


def test_a_killed_worker_frees_its_run(tmp_path: Path, run_dir: Path) -> None:
    store = open_store(tmp_path)
    store.create_run(new_run())
    process = spawn(tmp_path, "hold", 0)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert store.lease("run-1").held
    with pytest.raises(Refused, match=f"process {process.pid} on "):
        RunLock(run_dir).acquire(timeout_seconds=0)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert not store.lease("run-1").held
    successor = RunLock(run_dir)
    successor.acquire(timeout_seconds=0)
    successor.release()
    store.close()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows the files of a process")
def test_a_child_does_not_keep_the_lock_of_a_dead_worker(run_dir: Path) -> None:
    lock = RunLock(run_dir)
    lock.acquire()
    code = "print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        files = [path.readlink() for path in Path(f"/proc/{child.pid}/fd").iterdir()]
        assert files
        assert run_dir / "lock" not in files
        child.communicate(b"\n")
    lock.release()
    assert not RunLock.probe(run_dir)


def test_looking_never_makes_a_starting_worker_fail(run_dir: Path) -> None:
    over = threading.Event()

    def look_on() -> None:
        while not over.is_set():
            RunLock.probe(run_dir)

    lookers = [threading.Thread(target=look_on) for _ in range(4)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(50):
            lock = RunLock(run_dir)
            lock.acquire(timeout_seconds=20)
            lock.release()
    finally:
        over.set()
        for looker in lookers:
            looker.join()


def test_a_run_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    assert not RunLock.probe(tmp_path / "gone")
    with pytest.raises(TcaoError, match="lock cannot be made") as raised:
        RunLock(tmp_path / "gone").acquire()
    assert raised.value.where.endswith("gone/lock")
