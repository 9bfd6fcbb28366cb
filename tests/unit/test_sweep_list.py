from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.events import Finished, Resumed
from tcao_tui.errors import TcaoError
from tcao_tui.services.launch import LaunchResult
from tcao_tui.services.sweep_driver import Sweeper
from tcao_tui.services.sweep_follow import SweepList, SweepSource
from tcao_tui.store.sqlite import open_store
from tcao_tui.store.sweep_file import sweep_dir
from tests.fakes import run_records
from tests.fakes.run_lab import Lab
from tests.fakes.sweeps import PROFILE, make


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def sweeps(lab: Lab) -> Iterator[SweepList]:
    found = SweepList(open_store(lab.root), lab.root)
    yield found
    found.close()


def run_all(lab: Lab) -> None:
    def completes(store: Any, _: Path, run_id: str, **_more: Any) -> LaunchResult:
        writer = store.writer(run_id)
        run_records.launch(writer)
        run_records.train(writer, 1, 3)
        writer.commit(events=[Finished(outcome="completed", exit_code=0)])
        return LaunchResult(run_id, Path(), 1, writer.attempt, writer.fence)

    Sweeper(
        lab.store, lab.root, "try", PROFILE, start_worker=completes, resume_run=completes, report=lambda _: None
    ).run()


def test_a_root_without_sweeps_has_none(sweeps: SweepList) -> None:
    assert sweeps.poll() == []


def test_every_sweep_is_followed_to_its_end(lab: Lab, sweeps: SweepList) -> None:
    make(lab)
    [sweep] = sweeps.poll()
    assert sweep.table is not None
    assert [row.status for row in sweep.table.rows] == ["waiting"] * 3
    run_all(lab)
    [sweep] = sweeps.poll()
    assert sweep.table is not None
    assert [row.status for row in sweep.table.rows] == ["completed"] * 3
    assert sweep.table.is_over


def test_what_is_over_is_read_again_only_when_one_of_its_runs_changed(
    lab: Lab, sweeps: SweepList, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(lab)
    run_all(lab)
    sweeps.poll()
    reads: list[str] = []
    poll = SweepSource.poll

    def counted(source: SweepSource) -> Any:
        reads.append(source.record.name)
        return poll(source)

    monkeypatch.setattr(SweepSource, "poll", counted)
    before = sweeps.poll()
    assert reads == []
    [first, *_] = [row.run_id for row in before[0].table.rows] if before[0].table else []
    writer = lab.store.writer(first)
    run_records.launch(writer, Resumed(step=1, checkpoint="c"))
    [sweep] = sweeps.poll()
    assert reads == ["try"]
    assert sweep.table is not None
    assert not sweep.table.is_over or sweep.table.rows[0].status == "lost"


def test_a_record_that_cannot_be_read_is_told_beside_the_others(lab: Lab, sweeps: SweepList) -> None:
    make(lab)
    torn = sweep_dir(lab.root, "torn")
    torn.mkdir(parents=True)
    (torn / "sweep.json").write_text("{")
    found = {sweep.name: sweep for sweep in sweeps.poll()}
    assert found["try"].table is not None
    assert found["torn"].table is None
    assert "cannot be read" in found["torn"].problem


def test_closing_it_closes_its_store(lab: Lab) -> None:
    store = open_store(lab.root)
    SweepList(store, lab.root).close()
    with pytest.raises(TcaoError):
        store.runs()
