from __future__ import annotations

import math

import pytest

from tcao_tui.domain.events import (
    ControlHandled,
    Launched,
    LogLine,
    MetricRow,
    PhaseChanged,
    Spend,
    UnknownEvent,
)
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.errors import Refused, UsageError
from tcao_tui.store.port import Approval, Cursor, Fenced, RunStore
from tests.contract.conftest import Clock
from tests.fakes.run_records import kinds, launch, new_run, record_resumed_run, row, same, train


def test_a_new_run_is_created_and_costs_nothing_yet(run_1: RunStore) -> None:
    summary = run_1.run("run-1")
    assert (summary.status, summary.step, summary.total_steps) == (RunStatus.CREATED, 0, 10)
    assert (summary.train_loss, summary.cost_usd, summary.tokens, summary.attempt) == (None, 0.0, 0, 0)
    assert run_1.read("run-1", Cursor()).cursor == Cursor()


def test_an_id_is_taken_only_once(run_1: RunStore) -> None:
    with pytest.raises(Refused, match="run-1 already"):
        run_1.create_run(new_run())


def test_an_unknown_run_is_told_with_the_nearest_id(run_1: RunStore) -> None:
    for ask in (run_1.run, run_1.lease, run_1.pending_controls, run_1.approvals, run_1.writer):
        with pytest.raises(UsageError, match="did you mean run-1"):
            ask("run-2")


def test_runs_are_listed_newest_first_and_at_most_so_many(store: RunStore) -> None:
    for number, created_at in enumerate([5.0, 9.0, 7.0, 9.0]):
        store.create_run(new_run(f"run-{number}", created_at=created_at))
    assert [run.run_id for run in store.runs()] == ["run-3", "run-1", "run-2", "run-0"]
    assert [run.run_id for run in store.runs(limit=2)] == ["run-3", "run-1"]


def test_each_writer_has_the_next_attempt_and_a_higher_fence(run_1: RunStore) -> None:
    first, second = run_1.writer("run-1"), run_1.writer("run-1")
    assert (first.attempt, second.attempt) == (1, 2)
    assert second.fence > first.fence
    assert run_1.lease("run-1").fence == second.fence


def test_a_superseded_writer_writes_nothing_more(run_1: RunStore) -> None:
    old = run_1.writer("run-1")
    launch(old)
    new = run_1.writer("run-1")
    before = run_1.read("run-1", Cursor())
    with pytest.raises(Fenced, match="another worker took run-1"):
        old.commit(events=[LogLine(message="late")], metrics=[row(1)], spends=[_spend(1)])
    with pytest.raises(Fenced):
        old.heartbeat()
    assert run_1.read("run-1", Cursor()) == before
    new.commit(events=[LogLine(message="in time")])
    assert run_1.run("run-1").attempt == 2


def test_a_commit_that_fails_in_the_middle_leaves_no_trace(run_1: RunStore) -> None:
    writer = run_1.writer("run-1")
    launch(writer)
    before, summary = run_1.read("run-1", Cursor()), run_1.run("run-1")
    with pytest.raises(Exception, match="impossible"):
        writer.commit(events=[LogLine(message="one"), _Impossible(message="two")], metrics=[row(1)])
    assert run_1.read("run-1", Cursor()) == before
    assert run_1.run("run-1") == summary


class _Impossible(LogLine):
    def model_dump_json(self, **_options: object) -> str:
        raise RuntimeError("impossible")


def test_events_come_back_whole_in_order_and_with_their_time(run_1: RunStore, clock: Clock) -> None:
    writer = run_1.writer("run-1")
    writer.commit(events=[Launched(fence=1, pid=7, host="h"), PhaseChanged(phase="loading")])
    clock.now = 2000.5
    said = LogLine(level="warning", message="käse 😀 \x1b[31m", extra={"kept": [1, None]})
    writer.commit(events=[said])
    batch = run_1.read("run-1", Cursor())
    assert kinds(batch) == ["launched", "phase", "log"]
    assert [stored.at for stored in batch.events] == [1000.0, 1000.0, 2000.5]
    assert [stored.seq for stored in batch.events] == sorted(stored.seq for stored in batch.events)
    assert batch.events[2].event == said
    assert {stored.run_id for stored in batch.events} == {"run-1"}


def test_text_with_half_a_surrogate_is_kept_readable(run_1: RunStore) -> None:
    run_1.writer("run-1").commit(events=[LogLine(message="broken \ud800 text")])
    [stored] = run_1.read("run-1", Cursor()).events
    assert isinstance(stored.event, LogLine)
    assert stored.event.message == "broken ? text"


def test_nan_and_infinities_round_trip_in_rows_and_in_the_summary(run_1: RunStore) -> None:
    values = {"train_mean_nll": math.nan, "up": math.inf, "down": -math.inf, "small": 5e-324, "one third": 1 / 3}
    run_1.writer("run-1").commit(metrics=[row(1, **values), MetricRow(attempt=1, step=1, at=0.1, values={})])
    first, second = run_1.read("run-1", Cursor()).metrics
    assert list(first.values) == list(values)
    assert all(same(first.values[key], value) for key, value in values.items())
    assert (second.values, second.epoch, second.batch, second.at) == ({}, None, None, 0.1)
    assert math.isnan(run_1.run("run-1").train_loss or 0.0)


def test_an_unknown_event_kind_is_kept_and_shown(run_1: RunStore) -> None:
    run_1.writer("run-1").commit(events=[UnknownEvent(kind="from_tomorrow", body={"a": 1})])
    [stored] = run_1.read("run-1", Cursor()).events
    assert isinstance(stored.event, UnknownEvent)
    assert stored.event.kind == "from_tomorrow"
    assert '"a": 1' in stored.event.body["raw"]


def test_a_reader_gets_each_row_once_however_small_its_bites(run_1: RunStore) -> None:
    store = run_1
    store.create_run(new_run("other"))
    launch(store.writer("other"))
    record = store.writer("run-1")
    launch(record)
    train(record, 1, 9, save_at=[3, 6])
    whole = store.read("run-1", Cursor())
    for limit in (1, 2, 5, 100):
        cursor, more = Cursor(), True
        events, metrics, spends = [], [], []
        while more:
            batch = store.read("run-1", cursor, limit=limit)
            assert max(len(batch.events), len(batch.metrics), len(batch.spends)) <= limit
            cursor, more = batch.cursor, batch.more
            events += batch.events
            metrics += batch.metrics
            spends += batch.spends
        assert (events, metrics, spends) == (whole.events, whole.metrics, whole.spends)
        assert cursor == whole.cursor
        assert store.read("run-1", cursor) == store.read("run-1", whole.cursor)


def test_no_row_is_read_before_an_event_that_was_committed_ahead_of_it(store: RunStore) -> None:
    record_resumed_run(store)
    cursor, resumed, more = Cursor(), False, True
    while more:
        batch = store.read("run-1", cursor, limit=3)
        cursor, more = batch.cursor, batch.more
        resumed = resumed or "resumed" in kinds(batch)
        assert resumed or all(found.attempt == 1 for found in batch.metrics)
    assert resumed


def test_a_reader_may_start_past_every_row(run_1: RunStore) -> None:
    writer = run_1.writer("run-1")
    launch(writer)
    train(writer, 1, 3)
    past = Cursor(metric=2**62, spend=2**62)
    batch = run_1.read("run-1", past, limit=2)
    assert (len(batch.events), batch.metrics, batch.spends) == (2, [], [])
    assert (batch.cursor.metric, batch.cursor.spend, batch.more) == (2**62, 2**62, True)


def test_the_end_of_a_store_lies_past_every_run(store: RunStore) -> None:
    assert store.end() == Cursor()
    for run_id in ("run-1", "run-2"):
        store.create_run(new_run(run_id))
        writer = store.writer(run_id)
        launch(writer)
        train(writer, 1, 2)
    end = store.end()
    for run_id in ("run-1", "run-2"):
        batch = store.read(run_id, end)
        assert (batch.events, batch.metrics, batch.spends) == ([], [], [])
    store.writer("run-1").commit(events=[LogLine(message="later")])
    assert kinds(store.read("run-1", end)) == ["log"]


def test_a_request_is_pending_until_the_worker_answers_it(run_1: RunStore) -> None:
    stop = run_1.post_control("run-1", "stop", by="me", at=3.0)
    save = run_1.post_control("run-1", "change", by="you", at=4.0, body='{"value": 1}')
    assert [(r.request_id, r.verb, r.by, r.at, r.body) for r in run_1.pending_controls("run-1")] == [
        (stop, "stop", "me", 3.0, ""),
        (save, "change", "you", 4.0, '{"value": 1}'),
    ]
    run_1.writer("run-1").commit(events=[ControlHandled(request_id=stop, verb="stop", accepted=True)])
    assert [r.request_id for r in run_1.pending_controls("run-1")] == [save]


def test_a_request_to_one_run_is_not_answered_by_another(run_1: RunStore) -> None:
    run_1.create_run(new_run("other"))
    request = run_1.post_control("run-1", "stop", by="me", at=3.0)
    run_1.writer("other").commit(events=[ControlHandled(request_id=request, verb="stop", accepted=True)])
    assert [r.request_id for r in run_1.pending_controls("run-1")] == [request]
    assert run_1.pending_controls("other") == []


def test_approvals_are_kept_in_their_order(run_1: RunStore) -> None:
    given = [Approval("aa", "auto", "me", 1.0, "{}"), Approval("bb", "typed", "you", 2.0, '{"x": 1}')]
    for approval in given:
        run_1.approve("run-1", approval)
    assert run_1.approvals("run-1") == given


def test_a_heartbeat_ages_on_the_clock_that_does_not_jump(run_1: RunStore, clock: Clock) -> None:
    assert run_1.lease("run-1").heartbeat_age_seconds is None
    writer = run_1.writer("run-1")
    clock.now += 30
    assert run_1.lease("run-1").heartbeat_age_seconds == 30
    writer.heartbeat()
    clock.now += 2
    lease = run_1.lease("run-1")
    assert (lease.heartbeat_age_seconds, lease.held, lease.fence) == (2, False, writer.fence)


def test_changes_are_seen_by_a_value_that_heartbeats_leave_alone(run_1: RunStore) -> None:
    seen = {run_1.changes()}
    writer = run_1.writer("run-1")
    seen.add(run_1.changes())
    started = len(seen)
    writer.heartbeat()
    seen.add(run_1.changes())
    assert len(seen) == started
    writer.commit(events=[LogLine(message="x")])
    seen.add(run_1.changes())
    writer.commit(metrics=[row(1)])
    seen.add(run_1.changes())
    run_1.post_control("run-1", "stop", by="me", at=1.0)
    seen.add(run_1.changes())
    run_1.create_run(new_run("other"))
    seen.add(run_1.changes())
    assert len(seen) == started + 4
    assert run_1.changes() in seen


def _spend(step: int) -> Spend:
    return Spend(kind="train", step=step, tokens=10, usd=0.01)
