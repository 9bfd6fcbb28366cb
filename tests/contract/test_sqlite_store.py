from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.domain.events import LogLine, Resumed
from tcao_tui.errors import UsageError
from tcao_tui.store import schema
from tcao_tui.store.database import store_error
from tcao_tui.store.port import Cursor, StoreDamaged, StoreUnwritable
from tcao_tui.store.sqlite import SqliteStore, open_store
from tests.fakes.run_records import launch, new_run, train
from tests.fakes.store_process import ROOT, spawn


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "my runs ü"


@pytest.fixture
def store(root: Path) -> Iterator[SqliteStore]:
    opened = open_store(root)
    opened.create_run(new_run())
    yield opened
    opened.close()


def finished(*processes: subprocess.Popen[str]) -> list[str]:
    said = []
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        said.append(out)
    return said


def test_a_store_that_is_opened_again_holds_what_was_committed(store: SqliteStore, root: Path) -> None:
    writer = store.writer("run-1")
    launch(writer)
    train(writer, 1, 3, save_at=[2])
    batch, summary = store.read("run-1", Cursor()), store.run("run-1")
    store.close()
    again = open_store(root, create=False)
    assert again.read("run-1", Cursor()) == batch
    assert again.run("run-1") == summary
    assert again.writer("run-1").attempt == 2
    again.close()


def test_only_the_user_can_read_the_store(store: SqliteStore, root: Path) -> None:
    store.writer("run-1").commit(events=[LogLine(message="x")])
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in root.iterdir()} == {0o600}


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no runs were ever made") as raised:
        open_store(tmp_path / "none", create=False)
    assert raised.value.next_step == "tcao demo"
    assert not (tmp_path / "none").exists()


def test_consoles_readers_and_a_worker_never_meet_a_locked_database(store: SqliteStore, root: Path) -> None:
    processes = [spawn(root, verb, 60) for verb in ("write", "read", "read", "post", "post", "post")]
    steps, first, second, *_ = finished(*processes)
    assert (len(steps.split()), first, second) == (60, "60\n", "60\n")
    assert len(store.pending_controls("run-1")) == 180
    assert store.run("run-1").tokens == 600


def test_a_store_may_be_made_by_many_processes_at_once(root: Path) -> None:
    finished(*[spawn(root, "create", number) for number in range(4)])
    store = open_store(root, create=False)
    assert len(store.runs()) == 4
    store.close()


def test_a_kill_loses_no_acknowledged_commit(store: SqliteStore, root: Path) -> None:
    for last in (3, 17):
        process = spawn(root, "write", 100_000)
        assert process.stdout is not None
        while process.stdout.readline().strip() != str(last):
            assert process.poll() is None
        process.kill()
        said = process.stdout.read().split()
        process.communicate()
        acknowledged = int(said[-1]) if said else last
        rows = [row for row in _all_rows(store) if row.attempt == store.run("run-1").attempt]
        assert [row.step for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) in (acknowledged, acknowledged + 1)
    connection = sqlite3.connect(root / "state.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def _all_rows(store: SqliteStore) -> list:
    return list(store.read("run-1", Cursor(), limit=100_000).metrics)


def test_changes_of_another_process_are_seen(store: SqliteStore, root: Path) -> None:
    before = store.changes()
    finished(spawn(root, "post", 1))
    assert store.changes() != before


def test_threads_share_a_store(store: SqliteStore) -> None:
    writer = store.writer("run-1")
    failures: list[BaseException] = []

    def read_on() -> None:
        try:
            cursor = Cursor()
            while cursor.metric < 40:
                cursor = store.read("run-1", cursor, limit=3).cursor
                store.lease("run-1")
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=read_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    train(writer, 1, 40)
    for thread in threads:
        thread.join(timeout=30)
    assert not failures
    assert not any(thread.is_alive() for thread in threads)


def test_a_store_of_the_first_version_is_read_and_written_on(root: Path) -> None:
    root.mkdir()
    connection = sqlite3.connect(root / "state.db")
    connection.executescript(f"{schema.MIGRATIONS[0]}\nPRAGMA application_id = {schema.APPLICATION_ID};")
    connection.execute("PRAGMA user_version = 1")
    connection.execute(
        "INSERT INTO runs (run_id, name, method, base_model, backend, status, step, total_steps, train_loss, val_loss, "
        "tokens, cost_usd, attempt, created_at, updated_at) "
        "VALUES ('run-1', 'old', 'rl', 'm', 'local', 'stopped', 7, 10, 0.5, NULL, 70, 0.0, 1, 1.0, 2.0)"
    )
    connection.commit()
    connection.close()
    store = open_store(root)
    [old] = store.runs()
    assert (old.name, old.step, old.train_loss, dict(old.numbers)) == ("old", 7, 0.5, {})
    writer = store.writer("run-1")
    launch(writer, Resumed(step=5, checkpoint="c"))
    train(writer, 6, 6)
    assert dict(store.run("run-1").numbers) == {"train_mean_nll": 1 / 6}
    store.close()


def test_a_newer_store_is_refused_with_the_way_out(store: SqliteStore, root: Path) -> None:
    store.close()
    connection = sqlite3.connect(root / "state.db")
    connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreDamaged, match="reads up to") as raised:
        open_store(root)
    assert "upgrade tcao" in raised.value.next_step


def test_a_foreign_database_is_refused(root: Path) -> None:
    root.mkdir()
    connection = sqlite3.connect(root / "state.db")
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(StoreDamaged, match="not a run store"):
        open_store(root)


@pytest.mark.parametrize("share", [0.0005, 0.02, 0.5, 0.95])
def test_a_truncated_store_is_refused(store: SqliteStore, root: Path, share: float) -> None:
    writer = store.writer("run-1")
    writer.commit(events=[LogLine(message="x" * 1000) for _ in range(200)])
    store.close()
    path = root / "state.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(int(size * share))
    with pytest.raises(StoreDamaged) as raised:
        open_store(root, create=False)
    assert raised.value.where == str(path)
    assert "backup" in raised.value.next_step


def test_garbage_is_no_store(root: Path) -> None:
    root.mkdir()
    (root / "state.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreDamaged, match="nothing is read from it"):
        open_store(root)


def test_a_store_that_is_removed_while_open_is_noticed(store: SqliteStore, root: Path) -> None:
    writer = store.writer("run-1")
    shutil.move(root, root.with_name("moved"))
    with pytest.raises(StoreUnwritable, match="removed or replaced"):
        writer.commit(events=[LogLine(message="into nothing")])


_FILL = """
import resource, sys
from pathlib import Path
from tcao_tui.domain.events import LogLine
from tcao_tui.store.port import StoreUnwritable
from tcao_tui.store.sqlite import open_store
store = open_store(Path(sys.argv[1]), create=False)
writer = store.writer("run-1")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
done = 0
try:
    while True:
        writer.commit(events=[LogLine(message="x" * 5000), LogLine(message=f"number {done}")])
        done += 1
except StoreUnwritable as error:
    assert "nothing of this was written" in error.what and error.where and error.next_step, error
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
writer.commit(events=[LogLine(message="room again")])
print(done)
"""


def test_a_disk_that_takes_no_more_leaves_whole_commits_and_goes_on_when_it_does(
    store: SqliteStore, root: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _FILL, str(root)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    done = int(ran.stdout)
    events = store.read("run-1", Cursor(), limit=10_000).events
    assert done > 0
    assert len(events) == 2 * done + 1
    assert events[-2].event.message == f"number {done - 1}"
    assert events[-1].event.message == "room again"


def test_a_full_disk_is_told_with_what_where_and_the_next_step(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "small.db")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE t (body)")
    with pytest.raises(sqlite3.OperationalError) as raised:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    connection.close()
    told = store_error(raised.value, tmp_path / "small.db")
    assert isinstance(told, StoreUnwritable)
    assert "disk is full" in told.what
    assert told.where.endswith("small.db")
    assert "make room" in told.next_step


def test_the_run_list_loads_no_pydantic(store: SqliteStore, root: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tcao_tui.store.sqlite import open_store; "
        "from tcao_tui.services.runs import list_runs; store = open_store(Path(sys.argv[1]), create=False); "
        "print(len(list_runs(store)), 'pydantic' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(root)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == "1 False\n"
