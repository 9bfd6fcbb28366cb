"""Resume points that would be lost: told from the store alone, each once for each time that is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.domain.checkpoint_listing import SetExpiry
from tcao_tui.domain.events import CheckpointSaved, Finished
from tcao_tui.domain.notices import NOTICE_KINDS
from tcao_tui.services.expiry_watch import ExpiryReport, ExpiryWatch
from tcao_tui.services.notice_source import EXPIRY_SECONDS, NoticeSource
from tcao_tui.store.sqlite import SqliteStore, open_store
from tests.fakes.run_records import checkpoint, launch, new_run

DAY = 86400.0
HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 2_000_000_000.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A store with a clock, and runs that ended with checkpoints of steps 4 and 8."""

    def __init__(self, root: Path) -> None:
        self.clock = Clock()
        self.store: SqliteStore = open_store(root, clock=self.clock)
        self.watch = ExpiryWatch(self.store, clock=self.clock)

    def ended(self, run_id: str, *, outcome: str = "interrupted", days: float = 30) -> None:
        self.store.create_run(new_run(run_id))
        writer = self.store.writer(run_id)
        launch(writer)
        for step in (4, 8):
            kept = checkpoint(step).model_copy(
                update={
                    "expires_at": self.clock.now + days * DAY,
                    "state_path": f"tinker://{run_id}/weights/001-{step:06d}",
                }
            )
            writer.commit(events=[CheckpointSaved(checkpoint=kept)])
        writer.commit(events=[Finished.model_validate({"outcome": outcome, "exit_code": 75})])

    def told(self) -> tuple[list[str], list[str]]:
        report: ExpiryReport = self.watch.poll()
        found, news = ([e.checkpoint.path.removeprefix("tinker://") for e in es] for es in (report.found, report.news))
        return found, news


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.store.close()


LAST = "run-1/weights/001-000008"


def test_a_resume_point_is_news_once_for_each_time_that_is_left(place: Place) -> None:
    place.ended("run-1")
    assert place.told() == ([], [])
    place.clock.now += 24 * DAY
    assert place.told() == ([LAST], [LAST])
    assert place.told() == ([LAST], [])
    place.clock.now += 4 * DAY + HOUR
    assert place.told() == ([LAST], [LAST])
    assert place.told() == ([LAST], [])
    place.clock.now += DAY + 20 * HOUR
    assert place.told() == ([LAST], [LAST])
    place.clock.now += 6 * HOUR
    assert place.told() == ([], [])


def test_only_what_a_run_may_go_on_from_counts(place: Place) -> None:
    place.ended("run-1", outcome="completed", days=1)
    place.ended("run-2", outcome="failed", days=1)
    assert place.told()[0] == ["run-2/weights/001-000008"]


def test_what_is_set_from_here_counts_until_the_worker_says_otherwise(place: Place) -> None:
    place.ended("run-1", days=1)
    notes = place.store.checkpoint_notes
    path = f"tinker://{LAST}"
    assert place.told()[0] == [LAST]
    notes.write([path], expiry=SetExpiry(place.clock.now, place.clock.now + 14 * DAY))
    assert place.told() == ([], [])
    notes.write([path], expiry=SetExpiry(place.clock.now, place.clock.now + DAY))
    assert place.told()[0] == [LAST]
    notes.write([path], expiry=SetExpiry(place.clock.now, None))
    assert place.told() == ([], [])
    place.clock.now += HOUR
    record = checkpoint(8).model_copy(update={"expires_at": place.clock.now + 2 * DAY, "state_path": path})
    writer = place.store.writer("run-1")
    writer.commit(events=[CheckpointSaved(checkpoint=record), Finished(outcome="stopped", exit_code=75)])
    assert place.told()[0] == [LAST]
    notes.write([path], pinned=True)
    assert place.told() == ([], [])


def test_whoever_is_told_of_alerts_is_told_of_this_too_and_seldom_looked_for(place: Place, tmp_path: Path) -> None:
    source = NoticeSource(open_store(tmp_path, clock=place.clock), NOTICE_KINDS, clock=place.clock)
    assert source.poll() == []
    place.ended("run-1", outcome="stopped", days=1)
    assert [notice.kind for notice in source.poll()] == ["done"]
    place.clock.now += EXPIRY_SECONDS
    (told,) = source.poll()
    assert (told.kind, told.run_id, told.title) == ("alert", "run-1", "demo would lose its resume point")
    assert f"tcao ckpt keep tinker://{LAST}" in told.text
    assert source.poll() == []
    source.close()
