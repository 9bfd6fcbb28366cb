"""A process that uses a run store, for tests of several processes at once.

    python -m tests.fakes.store_process ROOT create|write|post|read|hold COUNT

`write` says each acknowledged step on stdout; `hold` says that it holds the lock of the run, and keeps it until its
stdin ends or it is killed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

from tcao_tui.store.lease import RunLock
from tcao_tui.store.port import Cursor
from tcao_tui.store.sqlite import SqliteStore, open_store
from tests.fakes.run_records import new_run, train

ROOT = Path(__file__).resolve().parents[2]


def spawn(root: Path, verb: str, count: int) -> subprocess.Popen[str]:
    """Start a process; its stdout is a pipe."""
    command = [sys.executable, "-m", "tests.fakes.store_process", str(root), verb, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)


def write(store: SqliteStore, count: int) -> None:
    writer = store.writer("run-1")
    for step in range(1, count + 1):
        train(writer, step, step)
        writer.heartbeat()
        print(step, flush=True)


def post(store: SqliteStore, count: int) -> None:
    for _ in range(count):
        store.post_control("run-1", "checkpoint", by="me", at=1.0)
        store.runs()


def read(store: SqliteStore, count: int) -> None:
    """Read until `count` rows are there, and say how many came, each once and in order."""
    cursor, steps = Cursor(), list[int]()
    while len(steps) < count:
        batch = store.read("run-1", cursor, limit=7)
        assert len(batch.metrics) == len(batch.spends) or batch.more, "a commit was read in halves"
        cursor = batch.cursor
        steps += [row.step for row in batch.metrics]
    assert steps == list(range(1, count + 1))
    print(len(steps), flush=True)


def hold(store: SqliteStore) -> None:
    lock = RunLock(store.path.parent / "run-1")
    lock.acquire()
    print("held", flush=True)
    sys.stdin.read()


def create(root: Path, count: int) -> None:
    store = open_store(root)
    store.create_run(new_run(f"run-{count}"))
    store.close()


def main() -> None:
    root, verb, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if verb == "create":
        create(root, count)
        return
    store = open_store(root, create=False)
    match verb:
        case "write":
            write(store, count)
        case "post":
            post(store, count)
        case "read":
            read(store, count)
        case _:
            hold(store)


if __name__ == "__main__":
    main()
