"""Small runs written through the store's own contract."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import (
    CheckpointSaved,
    DataLoaded,
    Finished,
    Launched,
    MetricRow,
    PhaseChanged,
    Resumed,
    RunEvent,
    Spend,
)
from tcao_tui.store.port import NewRun, ReadBatch, RunStore, RunWriter

PER_EPOCH = 4
"""Batches per epoch of all records here."""


def new_run(run_id: str = "run-1", *, total_steps: int = 10, created_at: float = 1.0, name: str = "demo") -> NewRun:
    return NewRun(run_id, name, "sft", "tiny", "local", total_steps, created_at)


def row(step: int, *, attempt: int = 1, at: float | None = None, **values: float) -> MetricRow:
    """A trained row of `step` >= 1, with a loss that falls."""
    cursor = DataCursor.after(step - 1, PER_EPOCH)
    return MetricRow(
        attempt=attempt,
        step=step,
        at=float(step) if at is None else at,
        epoch=cursor.epoch,
        batch=cursor.batch,
        values=values or {"train_mean_nll": 1 / step},
    )


def validation(step: int, loss: float, *, attempt: int = 1) -> MetricRow:
    return MetricRow(attempt=attempt, step=step, at=float(step), values={"val_mean_nll": loss})


def checkpoint(step: int, *, attempt: int = 1, reason: CheckpointReason = "periodic") -> CheckpointRecord:
    name = checkpoint_name(attempt, step)
    return CheckpointRecord(
        name=name,
        attempt=attempt,
        step=step,
        cursor=DataCursor.after(step, PER_EPOCH),
        reason=reason,
        state_path=f"tinker://lora/weights/{name}",
        sampler_path=f"tinker://lora/sampler_weights/{name}",
    )


def launch(writer: RunWriter, *more: RunEvent) -> None:
    """What a worker commits first."""
    loaded = DataLoaded(train_rows=8, val_rows=0, batches_per_epoch=PER_EPOCH, train_tokens=80, loss_tokens=40)
    writer.commit(events=[Launched(fence=writer.fence, pid=1, host="here"), *more, loaded])
    writer.commit(events=[PhaseChanged(phase="training")])


def train(writer: RunWriter, first: int, last: int, *, save_at: Sequence[int] = ()) -> None:
    """Train the steps from `first` to `last`, one commit each, and save some."""
    for step in range(first, last + 1):
        spend = Spend(kind="train", step=step, tokens=10, usd=0.01)
        writer.commit(metrics=[row(step, attempt=writer.attempt)], spends=[spend])
        if step in save_at:
            writer.commit(events=[CheckpointSaved(checkpoint=checkpoint(step, attempt=writer.attempt))])


def finish(writer: RunWriter, step: int) -> None:
    final = checkpoint(step, attempt=writer.attempt, reason="final")
    writer.commit(events=[CheckpointSaved(checkpoint=final), Finished(outcome="completed", exit_code=0)])


def record_resumed_run(store: RunStore, *, total_steps: int = 10) -> None:
    """A run that was killed after step 7, went on from its checkpoint of step 5, and was completed."""
    store.create_run(new_run(total_steps=total_steps))
    first = store.writer("run-1")
    launch(first)
    train(first, 1, 7, save_at=[5])
    second = store.writer("run-1")
    launch(second, Resumed(step=5, checkpoint=checkpoint(5).state_path))
    train(second, 6, total_steps)
    finish(second, total_steps)


def same(left: float | None, right: float | None) -> bool:
    """Equal, where a NaN equals a NaN."""
    if left is None or right is None:
        return left is right
    return left == right or (math.isnan(left) and math.isnan(right))


def kinds(batch: ReadBatch) -> list[str]:
    return [stored.event.kind for stored in batch.events]
