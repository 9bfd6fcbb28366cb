"""Runs in a real store for the tests of following: rows, attempts and rewinds in a few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tcao_tui.domain.events import Finished, Launched, MetricRow, Outcome, Resumed, RunEvent, Spend
from tcao_tui.services.follow import Follower
from tcao_tui.store.lease import RunLock
from tcao_tui.store.loader_process import LoaderProcess
from tcao_tui.store.port import NewRun, RunWriter
from tcao_tui.store.sqlite import SqliteStore, open_store

RUN_ID = "20261123-200000-long-0001"
STARTED_AT = 1_795_000_000.0


class FollowedRun:
    """One run of a store below `root`, its worker's lock and its writer."""

    def __init__(self, root: Path, *, total_steps: int = 1_000) -> None:
        self.root = root
        self.store: SqliteStore = open_store(root)
        new = NewRun(RUN_ID, "long", "sft", "tiny", "local", total_steps, STARTED_AT)
        self.store.create_run(new)
        (root / RUN_ID).mkdir()
        self.lock = RunLock(root / RUN_ID)
        self.writer: RunWriter | None = None

    def attempt(self, *, resume_step: int | None = None) -> RunWriter:
        self.writer = self.store.writer(RUN_ID)
        events: list[RunEvent] = [Launched(fence=self.writer.fence, pid=1, host="here")]
        if resume_step is not None:
            events.append(Resumed(step=resume_step, checkpoint="c"))
        self.writer.commit(events=events)
        return self.writer

    def train(self, first: int, stop: int, *, keys: tuple[str, ...] = ("train_mean_nll",)) -> None:
        assert self.writer is not None
        attempt = self.writer.attempt
        rows = [
            MetricRow(
                attempt=attempt,
                step=step,
                at=STARTED_AT + step,
                epoch=0,
                batch=step - 1,
                values=dict.fromkeys(keys, step / 8 + attempt),
            )
            for step in range(first, stop)
        ]
        self.writer.commit(metrics=rows, spends=[Spend(kind="train", step=first, tokens=len(rows), usd=0.5)])

    def validate(self, step: int) -> None:
        assert self.writer is not None
        row = MetricRow(attempt=self.writer.attempt, step=step, at=STARTED_AT, values={"val_mean_nll": step / 16})
        self.writer.commit(metrics=[row])

    def finish(self, outcome: Outcome = "completed") -> None:
        assert self.writer is not None
        self.writer.commit(events=[Finished(outcome=outcome, exit_code=0)])

    def follower(self, *, long_run_steps: int = 1 << 60, loader: Any = LoaderProcess) -> Follower:
        return Follower(
            self.store,
            RUN_ID,
            clock=lambda: STARTED_AT + 60,
            cache_dir=self.root / "cache",
            long_run_steps=long_run_steps,
            start_loader=loader,
        )

    def close(self) -> None:
        self.store.close()
