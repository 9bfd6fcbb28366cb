from __future__ import annotations

import pytest

from tcao_tui.domain.events import (
    CheckpointDeleted,
    CheckpointSaved,
    Finished,
    Launched,
    LogLine,
    PhaseChanged,
    Resumed,
    RunEvent,
    Sample,
    SamplesTaken,
    Scored,
    Spend,
    StoredEvent,
    UnknownEvent,
    Waiting,
)
from tcao_tui.domain.run_state import RunState, judge
from tcao_tui.domain.run_view import SILENCE_LIMIT_SECONDS, LeaseState, RunStatus, RunView
from tcao_tui.store.summary_rows import new_summary
from tests.fakes.run_records import checkpoint, new_run, row, validation

HELD = LeaseState(held=True, heartbeat_age_seconds=1.0, pid=7, host="h", fence=1)
FREE = LeaseState(held=False, heartbeat_age_seconds=1.0, pid=7, host="h", fence=1)
LAUNCHED = Launched(fence=1, pid=7, host="h")


class Fold:
    """A state that is fed as a follower feeds it."""

    def __init__(self, total_steps: int = 10) -> None:
        self.state = RunState(new_summary(new_run(total_steps=total_steps)))
        self.seq = 0

    def events(self, *events: RunEvent | UnknownEvent, attempt: int = 1, at: float = 0.0) -> Fold:
        for event in events:
            self.seq += 1
            self.state.apply(StoredEvent(seq=self.seq, run_id="run-1", attempt=attempt, at=at, event=event))
        return self

    def rows(self, first: int, last: int, *, attempt: int = 1) -> Fold:
        for step in range(first, last + 1):
            self.state.apply_metrics(row(step, attempt=attempt))
        return self

    def view(self, lease: LeaseState = HELD, *, now: float = 100.0, pending_verb: str = "") -> RunView:
        return self.state.view(lease, now=now, pending_verb=pending_verb)


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([], RunStatus.STARTING),
        ([LAUNCHED], RunStatus.STARTING),
        ([LAUNCHED, PhaseChanged(phase="connecting")], RunStatus.RUNNING),
        ([LAUNCHED, Waiting(reason="outage", since=1.0)], RunStatus.WAITING),
        ([LAUNCHED, PhaseChanged(phase="training"), Waiting(reason="capacity", since=1.0)], RunStatus.WAITING),
        (
            [LAUNCHED, PhaseChanged(phase="training"), Waiting(reason="capacity", since=1.0, over=True)],
            RunStatus.RUNNING,
        ),
        ([LAUNCHED, PhaseChanged(phase="paused")], RunStatus.PAUSED),
        ([LAUNCHED, PhaseChanged(phase="paused"), PhaseChanged(phase="training")], RunStatus.RUNNING),
        ([LAUNCHED, Finished(outcome="completed", exit_code=0)], RunStatus.COMPLETED),
        ([LAUNCHED, Finished(outcome="budget", exit_code=6), PhaseChanged(phase="saving")], RunStatus.BUDGET),
        ([LAUNCHED, Finished(outcome="stopped", exit_code=75), LAUNCHED], RunStatus.STARTING),
    ],
)
def test_the_status_is_what_the_newest_attempt_says(events: list[RunEvent], status: RunStatus) -> None:
    assert Fold().events(*events).view().status is status


def test_a_stop_that_is_asked_for_shows_until_the_run_ends() -> None:
    fold = Fold().events(LAUNCHED, PhaseChanged(phase="training"))
    assert fold.view(pending_verb="stop").status is RunStatus.STOPPING
    fold.events(Finished(outcome="stopped", exit_code=75))
    assert fold.view(pending_verb="stop").status is RunStatus.STOPPED


@pytest.mark.parametrize("status", [status for status in RunStatus if status.is_live])
def test_a_live_run_is_lost_when_its_lock_is_free_or_its_worker_silent(status: RunStatus) -> None:
    silent = LeaseState(held=True, heartbeat_age_seconds=SILENCE_LIMIT_SECONDS + 0.1, pid=7, host="h", fence=1)
    unheard = LeaseState(held=True, heartbeat_age_seconds=None, pid=7, host="h", fence=1)
    assert judge(status, FREE) is RunStatus.LOST
    assert judge(status, silent) is RunStatus.LOST
    assert judge(status, HELD) is status
    assert judge(status, unheard) is status


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED, RunStatus.INTERRUPTED])
def test_a_run_that_said_its_end_is_never_lost(status: RunStatus) -> None:
    assert judge(status, FREE) is status
    assert judge(status, HELD) is status


def test_a_run_that_finished_may_be_launched_again_and_finish_again() -> None:
    fold = Fold().events(LAUNCHED, PhaseChanged(phase="training")).rows(1, 3)
    fold.events(Finished(outcome="interrupted", exit_code=75), at=50.0)
    fold.events(LAUNCHED, Resumed(step=2, checkpoint="c"), PhaseChanged(phase="training"), attempt=2, at=90.0)
    view = fold.rows(3, 4, attempt=2).view()
    assert (view.status, view.attempt, view.step, view.finished) == (RunStatus.RUNNING, 2, 4, None)
    assert (view.started_at, view.elapsed_seconds) == (0.0, 100.0)
    view = fold.events(Finished(outcome="completed", exit_code=0), attempt=2, at=95.0).view(FREE)
    assert (view.status, view.elapsed_seconds, view.worker_pid) == (RunStatus.COMPLETED, 95.0, None)


def test_a_resume_drops_what_is_trained_anew_and_counts_it_once() -> None:
    fold = Fold().events(LAUNCHED).rows(1, 7)
    fold.state.apply_metrics(validation(0, 3.0))
    fold.state.apply_metrics(validation(6, 2.0))
    fold.events(LAUNCHED, Resumed(step=5, checkpoint="c"), attempt=2)
    view = fold.view()
    assert (view.step, view.superseded_rows) == (5, 2)
    assert list(view.series["train_mean_nll"].steps) == [1, 2, 3, 4, 5]
    assert list(view.series["val_mean_nll"].steps) == [0]


def test_an_attempt_that_starts_over_without_a_word_replaces_all() -> None:
    fold = Fold().events(LAUNCHED).rows(1, 5).events(LAUNCHED, attempt=2).rows(1, 2, attempt=2)
    view = fold.view()
    assert (view.step, view.superseded_rows, len(view.series["train_mean_nll"])) == (2, 5, 2)


def test_samples_and_scores_past_a_resume_are_dropped_and_those_of_a_step_are_shown_once() -> None:
    fold = Fold().events(LAUNCHED)
    for step in (0, 5, 8):
        fold.events(_samples(step, f"first {step}"), Scored(step=step, name="exact", correct=step, total=10))
    fold.events(LAUNCHED, Resumed(step=5, checkpoint="c"), attempt=2)
    fold.events(_samples(5, "second 5"), Scored(step=5, name="exact", correct=9, total=10), attempt=2)
    view = fold.view()
    assert [(taken.step, taken.samples[0].text) for taken in view.samples] == [(0, "first 0"), (5, "second 5")]
    assert [(score.step, score.correct) for score in view.scores] == [(0, 0), (5, 9)]


def test_only_the_newest_samples_are_kept() -> None:
    fold = Fold()
    for step in range(300):
        fold.events(_samples(step, "x"))
    assert [taken.step for taken in fold.view().samples] == list(range(100, 300))


def test_checkpoints_are_shown_by_step_until_they_are_deleted() -> None:
    fold = Fold().events(*[CheckpointSaved(checkpoint=checkpoint(step)) for step in (6, 2, 4)])
    fold.events(CheckpointDeleted(name=checkpoint(2).name), CheckpointDeleted(name="999-000001"))
    fold.events(CheckpointSaved(checkpoint=checkpoint(6, reason="final")))
    assert [(c.step, c.reason) for c in fold.view().checkpoints] == [(4, "periodic"), (6, "final")]


def test_the_eta_is_the_pace_of_late_and_unknown_while_nothing_moves() -> None:
    fold = Fold().events(LAUNCHED, PhaseChanged(phase="training"))
    assert fold.view().eta_seconds is None
    fold.rows(1, 4)
    assert fold.view().eta_seconds == 6.0
    fold.events(Waiting(reason="outage", since=4.0))
    assert fold.view().eta_seconds is None
    fold.events(Waiting(reason="outage", since=4.0, over=True))
    fold.state.apply_metrics(row(5, at=1000.0))
    assert fold.view().eta_seconds is None
    fold.state.apply_metrics(row(6, at=1002.0))
    assert fold.view().eta_seconds == 8.0


def test_a_pause_does_not_count_as_pace() -> None:
    fold = Fold().events(LAUNCHED, PhaseChanged(phase="training")).rows(1, 4)
    fold.events(PhaseChanged(phase="paused"))
    assert fold.view().eta_seconds is None
    fold.events(PhaseChanged(phase="training"))
    fold.state.apply_metrics(row(5, at=9000.0))
    fold.state.apply_metrics(row(6, at=9001.0))
    assert fold.view().eta_seconds == 4.0


def test_an_unknown_price_makes_the_cost_unknown() -> None:
    fold = Fold()
    assert fold.view().cost_usd == 0.0
    for usd in (0.5, None, 0.5):
        fold.state.apply_spend(Spend(kind="train", step=1, tokens=3, usd=usd))
    assert (fold.view().cost_usd, fold.view().tokens) == (None, 9)


def test_events_of_another_version_are_counted_and_shown() -> None:
    view = Fold().events(UnknownEvent(kind="new"), UnknownEvent(kind="new"), LogLine(message="x")).view()
    assert view.unknown_kinds == {"new": 2}
    assert [stored.event.kind for stored in view.events] == ["new", "new", "log"]


def test_a_long_run_keeps_its_newest_events_only() -> None:
    fold = Fold().events(*[LogLine(message=str(number)) for number in range(700)])
    assert [stored.seq for stored in fold.view().events] == list(range(201, 701))


def _samples(step: int, text: str) -> SamplesTaken:
    return SamplesTaken(step=step, samples=(Sample(prompt="p", text=text),))
