from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.clients.tinker_port import RemoteCheckpoint
from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import CheckpointDeleted, CheckpointSaved, Launched, MetricRow, Resumed, SamplesTaken
from tcao_tui.domain.training_events import Alert, Severity
from tcao_tui.worker.recovery import Lineage, reconcile, to_delete
from tcao_tui.worker.retries import Retries


def record(attempt: int, step: int, reason: CheckpointReason = "periodic", config: str = "c") -> CheckpointRecord:
    name = checkpoint_name(attempt, step)
    return CheckpointRecord(
        name=name,
        attempt=attempt,
        step=step,
        cursor=DataCursor.after(step, 3),
        reason=reason,
        state_path=f"tinker://{attempt}/weights/{name}",
        sampler_path=f"tinker://{attempt}/sampler_weights/{name}",
        config_hash=config,
    )


def listed(*records: CheckpointRecord, only: str | None = None) -> list[RemoteCheckpoint]:
    found: list[RemoteCheckpoint] = []
    for r in records:
        metadata = {
            "tcao_run": "r",
            "epoch": str(r.cursor.epoch),
            "batch": str(r.cursor.batch),
            "reason": r.reason,
            "config_hash": r.config_hash,
        }
        found.append(RemoteCheckpoint(r.state_path, r.name, "training", metadata))
        found.append(RemoteCheckpoint(r.sampler_path or "", r.name, "sampler", metadata))
    return [c for c in found if only is None or c.kind == only]


def lineage(*records: CheckpointRecord, resumes: Sequence[tuple[int, int]] = ()) -> Lineage:
    found = Lineage()
    found.apply(1, Launched(fence=1, pid=1, host="h"))
    for r in records:
        found.apply(r.attempt, CheckpointSaved(checkpoint=r))
    for attempt, step in resumes:
        found.apply(attempt, Resumed(step=step, checkpoint=""))
    return found


def test_a_checkpoint_that_nobody_recorded_is_adopted_whole() -> None:
    orphan = record(1, 4)
    found = reconcile(lineage(record(1, 2)), listed(record(1, 2), orphan))
    assert found.adopted == (orphan.model_copy(update={"adopted": True}),)
    assert found.gone == ()
    assert found.leftovers == ()


def test_weights_are_measured_until_a_later_attempt_goes_back_behind_them() -> None:
    found = lineage()
    found.note(MetricRow(attempt=1, step=2, at=0.0, epoch=0, batch=1, values={"train_mean_nll": 1.0}))
    found.note(MetricRow(attempt=1, step=2, at=0.0, values={}))
    assert not found.is_measured(2)
    found.note(MetricRow(attempt=1, step=2, at=0.0, values={"val_mean_nll": 1.0}))
    found.apply(1, SamplesTaken(step=4, samples=()))
    assert found.is_measured(2)
    assert found.is_measured(4)
    found.apply(2, Resumed(step=2, checkpoint=""))
    assert found.is_measured(2)
    assert not found.is_measured(4)


def test_half_of_a_final_save_is_a_resume_point_and_not_the_end() -> None:
    (adopted,) = reconcile(lineage(), listed(record(1, 7, "final"), only="training")).adopted
    assert adopted.reason == "periodic"
    assert adopted.sampler_path is None


def test_sampler_weights_without_their_state_are_left_over() -> None:
    half = record(1, 4)
    assert reconcile(lineage(), listed(half, only="sampler")).leftovers == (half.sampler_path,)


def test_a_recorded_checkpoint_that_the_server_lost_is_gone_and_its_other_half_left_over() -> None:
    lost = record(1, 4)
    found = reconcile(lineage(lost), listed(lost, only="sampler"))
    assert found.gone == (lost,)
    assert found.leftovers == (lost.sampler_path,)


def test_a_deleted_checkpoint_that_is_still_there_is_deleted_again() -> None:
    old = record(1, 2)
    known = lineage(old)
    known.apply(1, CheckpointDeleted(name=old.name))
    assert set(reconcile(known, listed(old)).leftovers) == {old.state_path, old.sampler_path}


def test_names_and_metadata_of_others_are_never_adopted() -> None:
    foreign = RemoteCheckpoint("tinker://x/weights/best", "best", "training", {"tcao_run": "r"})
    bare = RemoteCheckpoint("tinker://x/weights/001-000002", "001-000002", "training", {"tcao_run": "r", "epoch": "x"})
    assert reconcile(lineage(), [foreign, bare]).adopted == ()


def test_the_newest_checkpoint_of_the_final_lineage_comes_first() -> None:
    known = lineage(record(1, 2), record(1, 6), record(2, 4), resumes=[(2, 2)])
    assert [(r.attempt, r.step) for r in known.best_first("c")] == [(2, 4), (1, 2)]


def test_checkpoints_of_another_config_are_never_resumed_from() -> None:
    assert lineage(record(1, 2, config="other")).best_first("c") == []


def test_the_last_two_the_best_and_the_final_are_kept() -> None:
    records = [record(1, s) for s in (2, 4, 6, 8, 10)] + [record(1, 12, "final")]
    gone = to_delete(lineage(*records), {2: 3.0, 4: 1.0, 6: 2.0, 8: 2.0, 10: 2.0, 12: 1.5})
    assert [r.step for r in gone] == [2, 6, 8]


def test_without_validation_only_the_last_two_are_kept() -> None:
    assert [r.step for r in to_delete(lineage(*[record(1, s) for s in (2, 4, 6)]), {})] == [2]


def alert(step: int, *, since: int, severity: Severity = "critical") -> Alert:
    return Alert(rule="loss_explosion", severity=severity, step=step, since=since, evidence="50", action="pause")


def test_the_last_checkpoint_before_what_an_alert_found_is_kept_and_a_note_keeps_none() -> None:
    known = lineage(*[record(1, s) for s in (2, 4, 6)])
    known.apply(1, alert(8, since=7, severity="note"))
    assert not known.good
    known.apply(1, alert(8, since=5))
    for step in (8, 10, 12):
        known.apply(1, CheckpointSaved(checkpoint=record(1, step)))
    assert [r.step for r in to_delete(known, {})] == [2, 6, 8]
    assert [r.step for r in known.of_steps("c", *known.good)] == [4]


def test_of_many_alerts_the_newest_three_keep_a_checkpoint() -> None:
    known = lineage(*[record(1, s) for s in range(2, 21, 2)])
    for step in range(3, 16, 2):
        known.apply(1, alert(step, since=step))
    assert list(known.good) == [10, 12, 14]


def test_the_best_step_of_early_stopping_is_kept_and_a_loss_that_is_no_number_is_never_the_best() -> None:
    records = [record(1, s) for s in (2, 4, 6, 8, 10)]
    nan = float("nan")
    assert [r.step for r in to_delete(lineage(*records), {2: nan, 4: nan, 6: 3.0}, best_step=4)] == [2]


def test_superseded_weights_do_not_push_out_resume_points() -> None:
    known = lineage(record(1, 2), record(1, 8), record(1, 9), record(2, 4), resumes=[(2, 2)])
    assert [(r.attempt, r.step) for r in to_delete(known, {8: 0.1})] == [(1, 8), (1, 9)]


def test_waits_grow_from_nothing_to_five_minutes_and_futility_ends_them() -> None:
    now = [0.0]
    retries = Retries(lambda: now[0], futile_attempts=100)
    waits = [retries.wait_seconds(progressed=False, outage=False) for _ in range(9)]
    assert waits == [0, 5, 10, 20, 40, 80, 160, 300, 300]
    assert retries.wait_seconds(progressed=True, outage=False) == 0
    few = Retries(lambda: now[0], futile_attempts=3)
    assert [few.wait_seconds(progressed=False, outage=False) for _ in range(3)] == [0, 5, None]


def test_outages_and_old_failures_do_not_count_as_futile() -> None:
    now = [0.0]
    retries = Retries(lambda: now[0], futile_attempts=2)
    assert all(retries.wait_seconds(progressed=False, outage=True) is not None for _ in range(50))
    for _ in range(5):
        now[0] += 3601
        assert retries.wait_seconds(progressed=False, outage=False) is not None
