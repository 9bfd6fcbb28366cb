"""A runs root with approved runs on the fake server, workers of every kind, and the checks that must always hold."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tcao_tui.domain.events import MetricRow, StoredEvent
from tcao_tui.domain.plan import Budget, Plan, PriceQuote, approval_hash
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import RunView
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.services.launch import create_run
from tcao_tui.services.verify import verify
from tcao_tui.store.port import Approval, Cursor
from tcao_tui.store.sqlite import SqliteStore, open_store
from tests.fakes.fake_tinker import FREE, FakeServer
from tests.fakes.plans import resolve
from tests.fakes.toy_method import ROWS

WORKER = (sys.executable, "-m", "tests.fakes.fake_worker")
REPOSITORY = Path(__file__).parents[2]


def until[T](what: Callable[[], T], seconds: float = 20.0, why: str = "timed out") -> T:
    """Poll until something is true; returns it, and fails with `why` when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.01)
    return found


class Lab:
    """One runs root, its store and its server."""

    def __init__(self, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place, self.root = place, place / "runs"
        self.store: SqliteStore = open_store(self.root)
        self.server = FakeServer(place / "server.db")
        self.data = place / "train.jsonl"
        self.data.write_text("".join(json.dumps({"input": str(i), "output": "x"}) + "\n" for i in range(ROWS)))

    def plan(self, *, cap: float | None = None, **changes: Any) -> Plan:
        training: dict[str, Any] = {
            "base_model": "fake",
            "run_name": "toy",
            "train_file": self.data,
            "learning_rate": 1e-4,
            "train_batch_size": 4,
            "num_steps": 7,
            "save_every": 2,
            "eval_every": 3,
        }
        return resolve(Plan(training=TrainingConfig(**{**training, **changes}), budget=Budget(max_cost_usd=cap)))

    def create(self, plan: Plan | None = None, quote: PriceQuote = FREE) -> str:
        plan = plan or self.plan()
        approval = Approval(approval_hash(plan, quote), "auto", "test", time.time(), quote.model_dump_json())
        return create_run(self.store, self.root, plan, profile_name="fake", quote=quote, approval=approval)

    def env(self, **changes: object) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "FAKE_TINKER": str(self.server.path),
            **{k: str(v) for k, v in changes.items()},
        }

    def events(self, run_id: str) -> list[StoredEvent]:
        return list(self.store.read(run_id, Cursor(), limit=100_000).events)

    def rows(self, run_id: str) -> list[MetricRow]:
        return list(self.store.read(run_id, Cursor(), limit=100_000).metrics)

    def view(self, run_id: str) -> RunView:
        state = RunState(self.store.run(run_id))
        batch = self.store.read(run_id, Cursor(), limit=100_000)
        changes = [(e.at, 0, e) for e in batch.events] + [(r.at, 1, r) for r in batch.metrics]
        for _, _, change in sorted(changes, key=lambda c: c[:2]):
            state.apply(change) if isinstance(change, StoredEvent) else state.apply_metrics(change)
        for spend in batch.spends:
            state.apply_spend(spend)
        return state.view(self.store.lease(run_id), now=time.time())

    def check_completed(self, run_id: str) -> None:
        """The run is done, every batch was trained once in order, and store and server know the same checkpoints."""
        view = self.view(run_id)
        assert view.status == "completed", view.status
        finals = [c for c in view.checkpoints if c.reason == "final"]
        assert len(finals) == 1
        steps = view.total_steps
        assert self.server.history(finals[0].state_path) == [f"{n // 3}:{n % 3}" for n in range(steps)]
        assert list(view.series["train_mean_nll"].steps) == list(range(1, steps + 1))
        listed = self.server.checkpoints(run_id)
        known = {p for c in view.checkpoints for p in (c.state_path, c.sampler_path) if p}
        assert finals[0].sampler_path is not None
        assert {c.path for c in listed} == known
        assert all(c.expires_at is None for c in listed if c.name == finals[0].name)
        assert len(view.checkpoints) <= 4
        report = verify(self.store, run_id, runs_root=self.root, remote=listed)
        assert report.ok, report.checks


class Zygote:
    """A process that forks a fake worker per attempt, so that imports are paid once."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._process = subprocess.Popen(
            [*WORKER, "--zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=lab.env(),
            cwd=lab.place,
        )

    def __enter__(self) -> Self:
        assert self._line() == "ready"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def attempt(self, run_id: str, lab: Lab | None = None, **env: object) -> int:
        """Run one worker to its end; returns its exit code, negative for a signal."""
        lab = lab or self.lab
        told = {
            "arguments": ["--runs-root", str(lab.root), run_id],
            "env": {
                "TCAO_CRASH_AT": "",
                "TCAO_CRASH_AFTER": "",
                "TCAO_CRASH_LOG": "",
                "FAKE_TINKER": str(lab.server.path),
            }
            | {k: str(v) for k, v in env.items()},
            "log": str(lab.root / run_id / "worker.log"),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def freeze(lab: Lab, worker: subprocess.Popen[bytes]) -> None:
    """Stop a worker between two transactions, since in one it would hold the database as well."""

    def frozen() -> bool:
        worker.send_signal(signal.SIGSTOP)
        probe = sqlite3.connect(lab.root / "state.db", timeout=0.1, isolation_level=None)
        try:
            probe.execute("BEGIN IMMEDIATE")
            return True
        except sqlite3.OperationalError:
            worker.send_signal(signal.SIGCONT)
            return False
        finally:
            probe.close()

    until(frozen)
