from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.domain.events import Finished, Launched, MetricRow, PhaseChanged, Spend
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.services.replay import LONGEST_GAP_SECONDS, ReplaySource
from tcao_tui.store.port import NewRun
from tcao_tui.store.sqlite import SqliteStore, open_store


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path, clock=clock)
    opened.create_run(NewRun("r", "n", "sft", "m", "local", 2, 1000.0))
    writer = opened.writer("r")
    writer.commit(events=[Launched(fence=writer.fence, pid=1, host="h"), PhaseChanged(phase="training")])
    for step in (1, 2):
        clock.now = 1000.0 + step
        row = MetricRow(
            attempt=1, step=step, at=clock.now, epoch=0, batch=step - 1, values={"train_mean_nll": 1.0 / step}
        )
        writer.commit(metrics=[row], spends=[Spend(kind="train", step=step, tokens=10, usd=0.0)])
    clock.now = 4600.0
    writer.commit(events=[Finished(outcome="completed", exit_code=0)])
    yield opened
    opened.close()


def test_the_record_comes_again_at_its_pace(store: SqliteStore, clock: Clock) -> None:
    source = ReplaySource(store, "r", speed=2.0, clock=clock)
    steps: list[tuple[float, int, int]] = []
    begun = clock.now
    for half_seconds in range(3):
        clock.now = begun + half_seconds / 2
        view = source.poll()
        steps.append((half_seconds / 2, view.step, view.tokens))
        assert view.status is RunStatus.RUNNING
    assert steps == [(0.0, 0, 0), (0.5, 1, 10), (1.0, 2, 20)]
    assert not source.is_over


def test_a_long_silence_is_cut(store: SqliteStore, clock: Clock) -> None:
    source = ReplaySource(store, "r", speed=1.0, clock=clock)
    clock.now += 2 + LONGEST_GAP_SECONDS
    view = source.poll()
    assert source.is_over
    assert source.caught_up
    assert view.status is RunStatus.COMPLETED
    assert view.series["train_mean_nll"].last == 0.5
