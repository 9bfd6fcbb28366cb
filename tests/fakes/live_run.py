"""Appends a plausible run to a run store at some rows per second, for looking at the console by eye and for benchmarks.

    python -m tests.fakes.live_run RUNS_ROOT [--rows-per-second 10] [--seconds 60] [--before 200] [--finish]

Nothing is trained: the numbers are made up.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import socket
import time
from pathlib import Path

from tcao_tui.domain.checkpoints import CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import (
    CheckpointSaved,
    DataLoaded,
    Finished,
    Launched,
    MetricRow,
    PhaseChanged,
    Sample,
    SamplesTaken,
    Spend,
)
from tcao_tui.store.lease import RunLock
from tcao_tui.store.port import NewRun, RunWriter
from tcao_tui.store.sqlite import open_store

BATCHES_PER_EPOCH = 50
NAMES = ("entropy", "kl", "grad_norm", "reward", "accuracy")


def metric_row(attempt: int, step: int, draw: random.Random) -> MetricRow:
    epoch, batch = divmod(step - 1, BATCHES_PER_EPOCH)
    values = {
        "train_mean_nll": 0.3 + 3.2 * math.exp(-step / 300) + abs(draw.gauss(0, 0.08)),
        "learning_rate": 1e-3 * math.exp(-step / 2_000),
        "tokens_per_second": 1_600 + 120 * draw.random(),
        "step_seconds": 0.1 + 0.02 * draw.random(),
        "num_tokens": 1_280.0 + draw.randrange(64),
        **{name: math.sin(step / (40 + 17 * i)) + draw.gauss(0, 0.1) for i, name in enumerate(NAMES)},
    }
    return MetricRow(attempt=attempt, step=step, at=time.time(), epoch=epoch, batch=batch, values=values)


def evaluate(writer: RunWriter, step: int) -> None:
    nll = 0.4 + 3.0 * math.exp(-step / 280)
    row = MetricRow(attempt=writer.attempt, step=step, at=time.time(), values={"val_mean_nll": nll})
    sample = Sample(prompt="Say a word.", text=f"word {step}", reference="word")
    name = checkpoint_name(writer.attempt, step)
    saved = CheckpointRecord(
        name=name,
        attempt=writer.attempt,
        step=step,
        cursor=DataCursor.after(step, BATCHES_PER_EPOCH),
        reason="periodic",
        state_path=f"tinker://live/weights/{name}",
    )
    writer.commit(events=[SamplesTaken(step=step, samples=(sample,)), CheckpointSaved(checkpoint=saved)], metrics=[row])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs_root", type=Path)
    parser.add_argument("--rows-per-second", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--before", type=int, default=200, help="rows written at once, before the live ones")
    parser.add_argument("--finish", action="store_true", help="say that the run is completed")
    chosen = parser.parse_args()
    store = open_store(chosen.runs_root)
    run_id = time.strftime("%Y%m%d-%H%M%S-live", time.gmtime())
    total = chosen.before + round(chosen.rows_per_second * chosen.seconds)
    store.create_run(NewRun(run_id, "live", "sft", "tcao/tiny-qwen3", "local", total, time.time()))
    run_dir = chosen.runs_root / run_id
    run_dir.mkdir(exist_ok=True)
    lock = RunLock(run_dir)
    lock.acquire()
    writer = store.writer(run_id)
    loaded = DataLoaded(
        train_rows=1_600, val_rows=64, batches_per_epoch=50, train_tokens=2_048_000, loss_tokens=200_000
    )
    launched = Launched(fence=writer.fence, pid=os.getpid(), host=socket.gethostname())
    writer.commit(events=[launched, loaded, PhaseChanged(phase="training")])
    draw = random.Random(1)
    writer.commit(metrics=[metric_row(writer.attempt, step, draw) for step in range(1, chosen.before + 1)])
    evaluate(writer, chosen.before)
    writer.heartbeat()
    print(run_id, flush=True)
    begun, beat = time.monotonic(), time.monotonic()
    for index in range(round(chosen.rows_per_second * chosen.seconds)):
        time.sleep(max(begun + index / chosen.rows_per_second - time.monotonic(), 0))
        step = chosen.before + index + 1
        spend = Spend(kind="train", step=step, tokens=1_280, usd=0.0)
        writer.commit(metrics=[metric_row(writer.attempt, step, draw)], spends=[spend])
        if time.monotonic() - beat > 2:
            writer.heartbeat()
            beat = time.monotonic()
        if step % 100 == 0:
            evaluate(writer, step)
    if chosen.finish:
        writer.commit(events=[Finished(outcome="completed", exit_code=0)])


if __name__ == "__main__":
    main()
