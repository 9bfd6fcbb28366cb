from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tcao_tui.domain.events import (
    CheckpointDeleted,
    CheckpointSaved,
    DataLoaded,
    Finished,
    Launched,
    LogLine,
    MetricRow,
    Resumed,
    RunEvent,
    Spend,
    StoredEvent,
    UnknownEvent,
)
from tcao_tui.domain.proof import Check, Outside, Record
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.domain.verify import verify
from tcao_tui.store.memory import MemoryStore
from tcao_tui.store.port import Cursor
from tests.fakes.run_records import PER_EPOCH, checkpoint, launch, new_run, record_resumed_run, row, train


@dataclass(frozen=True)
class Listed:
    path: str
    name: str
    kind: str = "training"


LISTED = [
    Listed(checkpoint(step, attempt=a).state_path, checkpoint(step, attempt=a).name) for step, a in ((5, 1), (10, 2))
]
OUTSIDE = Outside(now=0.0, remote=LISTED, plan_hash="aa", cap_usd=1.0)


def record_of(store: MemoryStore) -> Record:
    batch = store.read("run-1", Cursor(), limit=10_000)
    return Record(store.run("run-1"), list(batch.events), list(batch.metrics), list(batch.spends), ("zz", "aa"))


@pytest.fixture
def whole() -> Record:
    store = MemoryStore()
    record_resumed_run(store)
    return record_of(store)


def failed(record: Record, outside: Outside = OUTSIDE) -> dict[str, Check]:
    return {check.name: check for check in verify(record, outside).checks if check.verdict == "failed"}


def with_rows(record: Record, change: Callable[[MetricRow], MetricRow | None]) -> Record:
    return replace(record, rows=[new for old in record.rows if (new := change(old)) is not None])


def with_events(record: Record, change: Callable[[RunEvent | UnknownEvent], RunEvent | UnknownEvent | None]) -> Record:
    changed = [(stored, change(stored.event)) for stored in record.events]
    return replace(record, events=[s.model_copy(update={"event": new}) for s, new in changed if new is not None])


def with_event(record: Record, event: RunEvent, attempt: int) -> Record:
    last = record.events[-1]
    added = StoredEvent(seq=last.seq + 1, run_id=last.run_id, attempt=attempt, at=last.at, event=event)
    return replace(record, events=[*record.events, added])


def test_a_resumed_and_completed_run_is_whole(whole: Record) -> None:
    report = verify(whole, OUTSIDE)
    assert report.ok
    assert {check.verdict for check in report.checks} == {"ok"}
    evidence = {check.name: check.evidence for check in report.checks}
    assert evidence["lineage"] == "steps 1 to 10 of 10; 2 more were trained and superseded"
    assert evidence["resume"] == "attempt 2 from step 5"
    assert json.loads(json.dumps(report.to_dict()))["ok"] is True


def test_a_new_run_is_whole_and_says_what_could_not_be_checked() -> None:
    store = MemoryStore()
    store.create_run(new_run())
    report = verify(replace(record_of(store), approved_hashes=()), Outside(now=0.0))
    assert report.ok
    unchecked = {check.name for check in report.checks if check.verdict == "not checked"}
    assert unchecked == {"lineage", "resume", "writer", "checkpoints", "server", "ledger", "approval", "completed"}


def test_a_batch_that_was_skipped_is_caught(whole: Record) -> None:
    found = failed(with_rows(whole, lambda r: None if r.step == 8 else r))
    assert list(found) == ["lineage"]
    assert found["lineage"].steps == (9,)
    assert "reached from step 7" in found["lineage"].evidence


def test_a_batch_that_was_trained_twice_is_caught(whole: Record) -> None:
    rows = [*whole.rows[:-1], row(9, attempt=2), whole.rows[-1]]
    found = failed(replace(whole, rows=rows))
    assert "step 9 of attempt 2 was trained twice" in found["lineage"].evidence
    assert found["ledger"].steps == (9,)


@pytest.mark.parametrize("place", [{"batch": 3}, {"epoch": 0}])
def test_a_batch_out_of_the_planned_order_is_caught(whole: Record, place: dict[str, int]) -> None:
    found = failed(with_rows(whole, lambda r: r.model_copy(update=place) if r.step == 9 else r))
    assert found["lineage"].steps == (9,)


def test_a_first_batch_that_is_missing_is_caught(whole: Record) -> None:
    found = failed(with_rows(whole, lambda r: None if r.step == 1 else r))
    assert found["lineage"].steps == (2,)


def test_an_attempt_that_restarts_without_saying_so_is_caught_as_training_twice(whole: Record) -> None:
    assert "resume" not in failed(whole)
    found = failed(with_events(whole, lambda e: None if isinstance(e, Resumed) else e))
    assert "lineage" in found


def test_data_of_another_length_in_a_later_attempt_is_caught(whole: Record) -> None:
    seen: list[DataLoaded] = []

    def grow(event: RunEvent | UnknownEvent) -> RunEvent | UnknownEvent:
        if isinstance(event, DataLoaded):
            seen.append(event)
            return event.model_copy(update={"batches_per_epoch": PER_EPOCH + len(seen)})
        return event

    assert "epochs of [5, 6] batches" in failed(with_events(whole, grow))["lineage"].evidence


def test_a_resume_before_the_last_checkpoint_is_caught(whole: Record) -> None:
    back = Resumed(step=3, checkpoint="tinker://somewhere")
    found = failed(with_events(whole, lambda e: back if isinstance(e, Resumed) else e))
    assert "went on from step 3 although step 5 was saved" in found["resume"].evidence
    assert "unrecorded checkpoint" in found["resume"].evidence


def test_a_start_from_nothing_is_right_when_nothing_was_saved() -> None:
    store = MemoryStore()
    store.create_run(new_run(total_steps=4))
    first = store.writer("run-1")
    launch(first)
    train(first, 1, 3)
    second = store.writer("run-1")
    launch(second, Resumed(step=0, checkpoint=""))
    train(second, 1, 4)
    record = record_of(store)
    assert not failed(record, replace(OUTSIDE, remote=None))
    saved = with_events(record, lambda e: CheckpointSaved(checkpoint=checkpoint(3)) if isinstance(e, DataLoaded) else e)
    assert "resume" in failed(saved, replace(OUTSIDE, remote=None))


def test_a_resume_from_before_a_deleted_checkpoint_is_right() -> None:
    store = MemoryStore()
    store.create_run(new_run())
    first = store.writer("run-1")
    launch(first)
    train(first, 1, 6, save_at=[3, 6])
    second = store.writer("run-1")
    launch(second, CheckpointDeleted(name=checkpoint(6).name), Resumed(step=3, checkpoint=checkpoint(3).state_path))
    train(second, 4, 7)
    assert not failed(record_of(store), replace(OUTSIDE, remote=None))


def test_fences_that_do_not_rise_are_caught(whole: Record) -> None:
    found = failed(with_events(whole, lambda e: e.model_copy(update={"fence": 1}) if isinstance(e, Launched) else e))
    assert list(found) == ["writer"]


def test_a_zombie_that_writes_after_its_successor_is_caught(whole: Record) -> None:
    assert "attempt 1 wrote an event" in failed(with_event(whole, LogLine(message="boo"), 1))["writer"].evidence
    late = replace(whole, rows=[*whole.rows, row(8, attempt=1)])
    assert "attempt 1 wrote a row" in failed(late)["writer"].evidence


@pytest.mark.parametrize("wrong", [{"step": 6}, {"cursor": checkpoint(6).cursor}])
def test_a_checkpoint_whose_cursor_is_not_that_of_its_step_is_caught(whole: Record, wrong: dict[str, int]) -> None:
    def spoil(event: RunEvent | UnknownEvent) -> RunEvent | UnknownEvent:
        if isinstance(event, CheckpointSaved) and event.checkpoint.step == 5:
            return CheckpointSaved(checkpoint=event.checkpoint.model_copy(update=wrong))
        return event

    assert "checkpoints" in failed(with_events(whole, spoil))


def test_a_name_that_was_used_twice_is_caught(whole: Record) -> None:
    again = checkpoint(5).model_copy(update={"state_path": "tinker://other/weights/001-000005"})
    found = failed(with_event(whole, CheckpointSaved(checkpoint=again), 2))
    assert "recorded twice" in found["checkpoints"].evidence


def test_a_checkpoint_of_another_plan_is_caught(whole: Record) -> None:
    assert "another plan" in failed(whole, replace(OUTSIDE, config_hash="bb"))["checkpoints"].evidence


def test_a_recorded_checkpoint_that_the_server_lacks_is_caught_unless_it_expired(whole: Record) -> None:
    outside = replace(OUTSIDE, remote=LISTED[1:])
    assert failed(whole, outside)["server"].steps == (5,)

    def expiring(event: RunEvent | UnknownEvent) -> RunEvent | UnknownEvent:
        if isinstance(event, CheckpointSaved):
            return CheckpointSaved(checkpoint=event.checkpoint.model_copy(update={"expires_at": 100.0}))
        return event

    record = with_events(whole, expiring)
    assert "server" in failed(record, replace(outside, now=99.0))
    assert "server" not in failed(record, replace(outside, now=100.0))


def test_a_checkpoint_that_nobody_recorded_is_caught_once_the_run_is_completed(whole: Record) -> None:
    orphan = Listed("tinker://lora/weights/002-000008", "002-000008")
    outside = replace(OUTSIDE, remote=[*LISTED, orphan])
    assert "never recorded" in failed(whole, outside)["server"].evidence
    running = with_events(whole, lambda e: None if isinstance(e, Finished) else e)
    running = replace(running, summary=replace(running.summary, recorded_status=RunStatus.RUNNING))
    [server] = [check for check in verify(running, outside).checks if check.name == "server"]
    assert server.verdict == "ok"
    assert "to be adopted" in server.evidence


def test_a_step_that_is_missing_in_the_ledger_is_caught(whole: Record) -> None:
    spends = [spend for spend in whole.spends if spend.step != 4]
    assert failed(replace(whole, spends=spends))["ledger"].steps == (4,)
    twice = [spend for i, spend in enumerate(whole.spends) if i != 6]
    assert failed(replace(whole, spends=twice))["ledger"].steps == (7,)


def test_a_cost_beyond_the_cap_and_what_was_in_flight_is_caught(whole: Record) -> None:
    assert not failed(whole, replace(OUTSIDE, cap_usd=0.12))
    assert not failed(whole, replace(OUTSIDE, cap_usd=0.11))
    assert "the cap is 0.1000" in failed(whole, replace(OUTSIDE, cap_usd=0.1))["ledger"].evidence
    assert not failed(whole, replace(OUTSIDE, cap_usd=0.1, in_flight_steps=3))


def test_a_plan_that_is_not_the_approved_one_is_caught(whole: Record) -> None:
    assert "approved was aa" in failed(whole, replace(OUTSIDE, plan_hash="zz"))["approval"].evidence
    assert "approval" in failed(whole, replace(OUTSIDE, plan_hash="", plan_problem="it is gone"))
    assert "never approved" in failed(replace(whole, approved_hashes=()))["approval"].evidence


def test_a_completed_run_without_its_final_checkpoint_is_caught(whole: Record) -> None:
    gone = with_event(whole, CheckpointDeleted(name=checkpoint(10, attempt=2).name), 2)
    assert failed(gone, replace(OUTSIDE, remote=None))["completed"].steps == (10,)


def test_a_run_that_calls_itself_completed_too_early_is_caught(whole: Record) -> None:
    found = failed(replace(whole, summary=replace(whole.summary, total_steps=12)))
    assert "ends at step 10 of 12" in found["completed"].evidence


@pytest.mark.parametrize("wrong", [{"step": 9}, {"tokens": 1}, {"recorded_status": RunStatus.RUNNING}])
def test_a_run_list_that_disagrees_with_the_record_is_caught(whole: Record, wrong: dict[str, int]) -> None:
    assert "summary" in failed(replace(whole, summary=replace(whole.summary, **wrong)))


def test_a_free_entry_of_unknown_price_is_said(whole: Record) -> None:
    spends = [*whole.spends, Spend(kind="sample", step=10, tokens=0, usd=None)]
    [ledger] = [c for c in verify(replace(whole, spends=spends), OUTSIDE).checks if c.name == "ledger"]
    assert (ledger.verdict, ledger.evidence) == ("ok", "120 tokens in 13 entries, 1 of unknown price")
