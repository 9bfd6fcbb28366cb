from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.domain.events import (
    Finished,
    Launched,
    MetricRow,
    PhaseChanged,
    Resumed,
    RunEvent,
    Spend,
    StoredEvent,
    Waiting,
)
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import LeaseState, RunView
from tcao_tui.store.memory import MemoryStore
from tcao_tui.store.port import Cursor
from tests.fakes.run_records import new_run, row, same

FREE = LeaseState(held=True, heartbeat_age_seconds=0.0, pid=1, host="h", fence=1)
LOSSES = st.floats(width=64, allow_nan=True)
EVENTS = st.sampled_from(
    [
        PhaseChanged(phase="training"),
        PhaseChanged(phase="paused"),
        PhaseChanged(phase="saving"),
        Waiting(reason="outage", since=1.0),
        Waiting(reason="outage", since=1.0, over=True),
        Finished(outcome="stopped", exit_code=75),
    ]
)


@dataclass(frozen=True)
class Attempt:
    """Steps that an attempt goes on from (a share of what was reached) and trains."""

    resume_share: float
    steps: int
    losses: list[float]
    events: list[RunEvent]
    val_every: int


ATTEMPTS = st.lists(
    st.builds(
        Attempt,
        resume_share=st.floats(0, 1),
        steps=st.integers(0, 12),
        losses=st.lists(LOSSES, min_size=12, max_size=12),
        events=st.lists(EVENTS, max_size=4),
        val_every=st.integers(1, 5),
    ),
    min_size=1,
    max_size=5,
)


def write(attempts: list[Attempt]) -> tuple[MemoryStore, dict[int, float], int, int]:
    """A store with these attempts; the training loss of each step of the final lineage, and superseded steps."""
    store = MemoryStore(clock=lambda: 5.0)
    store.create_run(new_run())
    lineage: dict[int, float] = {}
    superseded = trained = 0
    for number, attempt in enumerate(attempts, 1):
        start = int(attempt.resume_share * len(lineage)) if number > 1 else 0
        writer = store.writer("run-1")
        events: list[RunEvent] = [Launched(fence=number, pid=1, host="h")]
        if number > 1:
            events.append(Resumed(step=start, checkpoint=""))
        writer.commit(events=[*events, *attempt.events])
        superseded += len(lineage) - start
        lineage = {step: loss for step, loss in lineage.items() if step <= start}
        for step, loss in zip(range(start + 1, start + attempt.steps + 1), attempt.losses, strict=False):
            lineage[step] = loss
            trained += 1
            rows = [row(step, attempt=number, at=float(step), train_mean_nll=loss)]
            if step % attempt.val_every == 0:
                rows.append(MetricRow(attempt=number, step=step, at=float(step), values={"val_mean_nll": loss}))
            writer.commit(metrics=rows, spends=[Spend(kind="train", step=step, tokens=2, usd=0.5)])
    return store, lineage, superseded, trained


def followed(store: MemoryStore, limit: int) -> tuple[RunState, RunView]:
    """The fold as a reader with bites of this size makes it."""
    state, cursor, more = RunState(store.run("run-1")), Cursor(), True
    while more:
        batch = store.read("run-1", cursor, limit=limit)
        cursor, more = batch.cursor, batch.more
        for stored in batch.events:
            state.apply(stored)
        for metrics in batch.metrics:
            state.apply_metrics(metrics)
        for spend in batch.spends:
            state.apply_spend(spend)
    return state, state.view(FREE, now=100.0)


@given(ATTEMPTS, st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_a_view_shows_the_final_lineage_once_however_it_is_read(attempts: list[Attempt], limit: int) -> None:
    store, lineage, superseded, trained = write(attempts)
    _, view = followed(store, limit)
    series = view.series.get("train_mean_nll")
    assert list(series.steps if series else []) == list(lineage)
    assert all(same(left, right) for left, right in zip(series.values if series else [], lineage.values(), strict=True))
    assert (view.step, view.superseded_rows) == (max(lineage, default=0), superseded)
    assert (view.tokens, view.cost_usd) == (2 * trained, 0.5 * trained)


@given(ATTEMPTS)
@settings(max_examples=40, deadline=None)
def test_the_run_list_and_the_view_show_the_same(attempts: list[Attempt]) -> None:
    store, _, _, _ = write(attempts)
    summary = store.run("run-1")
    state, view = followed(store, 10_000)
    assert (summary.step, summary.attempt, summary.tokens) == (view.step, view.attempt, view.tokens)
    assert summary.cost_usd == view.cost_usd
    assert summary.updated_at == view.updated_at
    assert state.view(FREE, now=0.0).status is summary.recorded_status or view.waiting is not None
    for key, loss in (("train_mean_nll", summary.train_loss), ("val_mean_nll", summary.val_loss)):
        series = view.series.get(key)
        assert same(series.last if series else None, loss)


def test_a_loss_of_a_superseded_row_is_not_taken_up_again_by_a_later_resume() -> None:
    def attempt(resume_share: float, steps: int, val_every: int) -> Attempt:
        return Attempt(resume_share=resume_share, steps=steps, losses=[0.0] * 12, events=[], val_every=val_every)

    store, _, _, _ = write([attempt(0.0, 1, 1), attempt(0.0, 2, 2), attempt(0.5, 0, 1)])
    assert store.run("run-1").step == 1
    assert store.run("run-1").val_loss is None, "the only validation of step 1 was set back with its attempt"


@given(ATTEMPTS, st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_no_view_on_the_way_shows_a_step_of_two_attempts_or_out_of_order(attempts: list[Attempt], limit: int) -> None:
    store, _, _, _ = write(attempts)
    state, cursor, more = RunState(store.run("run-1")), Cursor(), True
    while more:
        batch = store.read("run-1", cursor, limit=limit)
        cursor, more = batch.cursor, batch.more
        for stored in batch.events:
            assert isinstance(stored, StoredEvent)
            state.apply(stored)
        for metrics in batch.metrics:
            state.apply_metrics(metrics)
        view = state.view(FREE, now=1.0)
        for series in view.series.values():
            assert all(left < right for left, right in zip(series.steps, series.steps[1:], strict=False))
            assert len(series) == 0 or (series.last_step or 0) <= max(view.step, 0)
