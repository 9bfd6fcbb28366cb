"""Plausible runs written through the store's own contract, for benchmarks."""

from __future__ import annotations

import math
import random
from pathlib import Path

from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.events import DataLoaded, Finished, Launched, MetricRow, PhaseChanged, Spend
from tcao_tui.store.port import NewRun, RunWriter
from tcao_tui.store.sqlite import open_store

START = 1_780_000_000.0
BATCHES_PER_EPOCH = 1_000
ROWS_PER_COMMIT = 2_000
KEYS = 20


def metric_row(step: int, total: int, noise: random.Random) -> MetricRow:
    """Twenty numbers of one step, falling loss first."""
    share = step / total
    loss = 0.8 + 1.6 * math.exp(-4 * share) + noise.gauss(0, 0.05)
    values = {"train_mean_nll": loss, "learning_rate": 2e-4, "tokens_per_second": 9e3 + noise.gauss(0, 300)}
    values |= {f"optim/extra_{i}": noise.random() for i in range(KEYS - len(values))}
    cursor = DataCursor.after(max(step - 1, 0), BATCHES_PER_EPOCH)
    return MetricRow(attempt=1, step=step, at=START + step, epoch=cursor.epoch, batch=cursor.batch, values=values)


def write_steps(writer: RunWriter, steps: int, noise: random.Random) -> None:
    """Commit `steps` rows and their ledger."""
    for first in range(1, steps + 1, ROWS_PER_COMMIT):
        rows = [metric_row(s, steps, noise) for s in range(first, min(first + ROWS_PER_COMMIT, steps + 1))]
        writer.commit(metrics=rows, spends=[Spend(kind="train", step=r.step, tokens=4_096, usd=0.0) for r in rows])


def fill_store(root: Path, *, runs: int, steps: int, finished: bool = True) -> list[str]:
    """Create `runs` runs of `steps` steps below `root`; returns their ids."""
    noise = random.Random(0)
    store = open_store(root)
    ids: list[str] = []
    for number in range(runs):
        run_id = f"bench-{number:05d}"
        store.create_run(
            NewRun(run_id, f"bench-{number:05d}", "sft", "tcao/tiny-qwen3", "local", steps, START + number)
        )
        writer = store.writer(run_id)
        writer.commit(
            events=[
                Launched(fence=writer.fence, pid=1, host="bench"),
                DataLoaded(
                    train_rows=1_500,
                    val_rows=100,
                    batches_per_epoch=BATCHES_PER_EPOCH,
                    train_tokens=90_000,
                    loss_tokens=30_000,
                ),
                PhaseChanged(phase="training"),
            ]
        )
        write_steps(writer, steps, noise)
        if finished:
            writer.commit(events=[Finished(outcome="completed", exit_code=0)])
        ids.append(run_id)
    store.close()
    return ids
