from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.domain.events import Finished, LogLine, PhaseChanged
from tcao_tui.domain.notices import NOTICE_KINDS
from tcao_tui.domain.training_events import Alert
from tcao_tui.errors import TcaoError
from tcao_tui.services.notice_source import NoticeSource
from tcao_tui.store.lease import RunLock
from tcao_tui.store.port import RunWriter
from tcao_tui.store.sqlite import SqliteStore, open_store
from tests.fakes.run_records import launch, new_run

ALERT = Alert(rule="plateau", severity="warning", step=3, evidence="flat", action="notify")
DONE = Finished(outcome="completed", exit_code=0)


class Runs:
    """Runs of one store that are held by workers, and what a source that was opened tells of them."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, open_store(root)
        self.locks: dict[str, RunLock] = {}
        self.source: NoticeSource | None = None

    def start(self, run_id: str) -> RunWriter:
        if run_id not in {run.run_id for run in self.store.runs()}:
            self.store.create_run(new_run(run_id))
            (self.root / run_id).mkdir()
        self.locks[run_id] = RunLock(self.root / run_id)
        self.locks[run_id].acquire()
        writer = self.store.writer(run_id)
        launch(writer)
        writer.heartbeat()
        return writer

    def end(self, writer: RunWriter, run_id: str, end: Finished = DONE) -> None:
        writer.commit(events=[end])
        self.locks[run_id].release()

    def open(self, *kinds: str) -> None:
        self.source = NoticeSource(self.store, [kind for kind in NOTICE_KINDS if not kinds or kind in kinds])

    def told(self) -> list[tuple[str, str]]:
        assert self.source is not None
        return [(notice.run_id, notice.kind) for notice in self.source.poll()]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(tmp_path)
    yield runs
    runs.store.close()


def test_what_happened_before_is_no_news(runs: Runs) -> None:
    first, second = runs.start("run-1"), runs.start("run-2")
    first.commit(events=[ALERT])
    runs.end(first, "run-1")
    second.commit(events=[ALERT])
    runs.start("run-3")
    runs.locks["run-3"].release()
    runs.open()
    assert runs.told() == []
    second.commit(events=[LogLine(message="on it goes")])
    assert runs.told() == []


def test_each_fact_of_any_run_is_told_once(runs: Runs) -> None:
    first = runs.start("run-1")
    runs.open()
    first.commit(events=[ALERT])
    second = runs.start("run-2")
    second.commit(events=[PhaseChanged(phase="paused", detail="the pilot wants a look")])
    assert sorted(runs.told()) == [("run-1", "alert"), ("run-2", "approval")]
    assert runs.told() == []
    runs.end(first, "run-1")
    runs.end(second, "run-2", Finished(outcome="failed", exit_code=1, what="no room"))
    assert sorted(runs.told()) == [("run-1", "done"), ("run-2", "failed")]
    assert runs.told() == []


def test_a_worker_that_is_gone_is_told_once_for_each_attempt(runs: Runs) -> None:
    runs.start("run-1")
    runs.open()
    assert runs.told() == []
    runs.locks["run-1"].release()
    assert runs.told() == [("run-1", "lost")]
    assert runs.told() == []
    writer = runs.start("run-1")
    assert runs.told() == []
    runs.end(writer, "run-1")
    assert runs.told() == [("run-1", "done")]


def test_only_what_is_wanted_is_told(runs: Runs) -> None:
    writer = runs.start("run-1")
    runs.open("failed", "lost")
    writer.commit(events=[ALERT])
    runs.end(writer, "run-1")
    assert runs.told() == []


def test_a_run_that_ends_says_how_it_stands(runs: Runs) -> None:
    writer = runs.start("run-1")
    runs.open()
    runs.end(writer, "run-1")
    assert runs.source is not None
    [notice] = runs.source.poll()
    assert "0 of 10 steps" in notice.text


def test_a_store_without_runs_is_watched_too(runs: Runs, tmp_path: Path) -> None:
    runs.open()
    assert runs.told() == []
    other = open_store(tmp_path)
    other.create_run(new_run("run-1"))
    writer = other.writer("run-1")
    launch(writer)
    writer.commit(events=[DONE])
    other.close()
    assert runs.told() == [("run-1", "done")]


def test_closing_it_closes_its_store(tmp_path: Path) -> None:
    store: SqliteStore = open_store(tmp_path)
    NoticeSource(store, NOTICE_KINDS).close()
    with pytest.raises(TcaoError, match="closed database"):
        store.runs()
