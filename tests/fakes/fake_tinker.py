"""A Tinker server in one SQLite file, which survives the death of its clients; its model is the list of batches it saw.

What a run trained can be read from its weights, independently of what the run store says. Toy batches are texts.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tcao_tui.clients.tinker_port import (
    Outage,
    RemoteCheckpoint,
    SavedWeights,
    StepResult,
    TinkerBackend,
    Trainer,
    Transient,
    Unsupported,
)
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BackendError
from tcao_tui.worker.connect import OnWaiting
from tcao_tui.worker.side_effects import SideEffects

FREE = PriceQuote(backend="fake", source="fake", train_usd=0, prefill_usd=0, sample_usd=0, storage_usd_per_gb_month=0)


class FakeServer:
    """The state of the server; any process may open it, and tests script it through `set`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS checkpoints (path TEXT PRIMARY KEY, name TEXT, kind TEXT, metadata TEXT,"
            " expires_at REAL, history TEXT)"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS steps (id INTEGER PRIMARY KEY, model TEXT, batch TEXT)")
        self._db.execute("CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT)")

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        # The worker's outage watch asks from a thread of its own.
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def set(self, **settings: object) -> None:
        for key, value in settings.items():
            self._rows("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, json.dumps(value)))

    def get(self, key: str, default: Any = None) -> Any:
        row = self._rows("SELECT value FROM settings WHERE key = ?", (key,))
        return json.loads(row[0][0]) if row else default

    def take(self, key: str) -> bool:
        """Whether a countdown setting is above zero; takes one off it."""
        left = self.get(key, 0)
        if left > 0:
            self.set(**{key: left - 1})
        return left > 0

    def trained(self, model: str, batch: str) -> None:
        self._rows("INSERT INTO steps (model, batch) VALUES (?, ?)", (model, batch))

    def step_count(self) -> int:
        return self._rows("SELECT count(*) FROM steps")[0][0]

    def add(self, checkpoint: RemoteCheckpoint, history: Sequence[str]) -> None:
        try:
            self._rows(
                "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)",
                (
                    checkpoint.path,
                    checkpoint.name,
                    checkpoint.kind,
                    json.dumps(dict(checkpoint.metadata)),
                    checkpoint.expires_at,
                    json.dumps(list(history)),
                ),
            )
        except sqlite3.IntegrityError as error:
            raise BackendError(f"409: {checkpoint.name} exists") from error

    def delete(self, path: str) -> None:
        self._rows("DELETE FROM checkpoints WHERE path = ?", (path,))

    def set_ttl(self, path: str, expires_at: float | None) -> None:
        self._rows("UPDATE checkpoints SET expires_at = ? WHERE path = ?", (expires_at, path))

    def history(self, path: str) -> list[str]:
        row = self._rows("SELECT history FROM checkpoints WHERE path = ?", (path,))
        if not row:
            raise BackendError(f"no checkpoint {path}")
        return json.loads(row[0][0])

    def checkpoints(self, run_id: str) -> list[RemoteCheckpoint]:
        rows = self._rows("SELECT path, name, kind, metadata, expires_at FROM checkpoints ORDER BY rowid")
        found = [RemoteCheckpoint(p, n, k, json.loads(m), e, 1) for p, n, k, m, e in rows]
        return [c for c in found if c.metadata.get("tcao_run") == run_id]


@dataclass
class FakeStep:
    server: FakeServer
    trained: int

    async def result(self) -> StepResult:
        if self.server.get("down", False) or self.server.take("failing_steps"):
            raise Transient("the fake server went away")
        # JSON knows NaN here, so tests script a loss that broke as well.
        loss = self.server.get("losses", {}).get(str(self.trained), 2.0 / self.trained)
        return StepResult(loss_sum=4.0 * loss, loss_tokens=4.0, tokens=10)


class FakeTrainer:
    def __init__(
        self, server: FakeServer, history: list[str], metadata: Mapping[str, str], effects: SideEffects
    ) -> None:
        self.server, self.history, self.metadata, self.effects = server, history, metadata, effects
        self.model = uuid.uuid4().hex[:8]

    def submit_step(self, batch: Sequence[Any], *, learning_rate: float) -> FakeStep:
        time.sleep(self.server.get("step_seconds", 0.0))
        self.server.trained(self.model, str(batch[0]))
        self.history.append(str(batch[0]))
        return FakeStep(self.server, len(self.history))

    def submit_custom_step(self, batch: Sequence[Any], loss: Any, *, learning_rate: float) -> FakeStep:
        return self.submit_step(batch, learning_rate=learning_rate)

    @property
    def client(self) -> Any:
        raise Unsupported("the fake has no SDK client")

    async def nll(self, batch: Sequence[Any]) -> StepResult:
        done = len(self.history)
        loss = self.server.get("val_losses", {}).get(str(done), 1.0 / (1 + done))
        return StepResult(loss_sum=4.0 * loss, loss_tokens=4.0, tokens=10)

    async def sampler(self) -> Any:
        raise Unsupported("the fake does not sample")

    async def save(self, name: str, *, ttl_seconds: int | None, metadata: Mapping[str, str]) -> SavedWeights:
        if self.server.get("down", False):
            raise Transient("the fake server went away")
        expires_at = None if ttl_seconds is None else time.time() + ttl_seconds
        state, sampler = f"tinker://{self.model}/weights/{name}", f"tinker://{self.model}/sampler_weights/{name}"
        self.server.add(RemoteCheckpoint(state, name, "training", metadata, expires_at), self.history)
        with self.effects.point("server.between_state_and_sampler"):
            self.server.add(RemoteCheckpoint(sampler, name, "sampler", metadata, expires_at), self.history)
        if self.server.take("lost_save_answers"):
            raise BackendError("409: the name is taken")
        return SavedWeights(state, sampler)

    def tokenizer(self) -> Any:
        raise Unsupported("the fake has no tokenizer")


class FakeBackend:
    def __init__(self, server: FakeServer, quote: PriceQuote, effects: SideEffects) -> None:
        self.server, self._quote, self.effects = server, quote, effects
        self.closed: list[str] = []

    @property
    def quote(self) -> PriceQuote:
        return self._quote

    def quote_of(self, model: str) -> PriceQuote:
        return self._quote

    async def sampling_client(self, *, base_model: str | None = None, model_path: str | None = None) -> Any:
        raise Unsupported("the fake does not sample")

    def calling(self, doing: str) -> AbstractContextManager[None]:
        return nullcontext()

    async def open_trainer(
        self,
        config: TrainingConfig,
        *,
        state_path: str | None,
        metadata: Mapping[str, str],
        with_optimizer: bool = True,
    ) -> Trainer:
        history = self.server.history(state_path) if state_path else []
        return FakeTrainer(self.server, history, metadata, self.effects)

    async def checkpoints_of(self, run_id: str) -> Sequence[RemoteCheckpoint]:
        if self.server.get("no_listing", False):
            raise Unsupported("no listing here")
        return self.server.checkpoints(run_id)

    async def delete(self, path: str) -> None:
        self.server.delete(path)

    async def set_ttl(self, path: str, ttl_seconds: int | None) -> None:
        self.server.set_ttl(path, None if ttl_seconds is None else time.time() + ttl_seconds)

    async def close(self, outcome: str, detail: str = "") -> None:
        self.closed.append(outcome)


class FakeConnector:
    """Gives access to a `FakeServer`; the server's setting `down` makes it ail."""

    def __init__(self, server: FakeServer, effects: SideEffects) -> None:
        self.server, self.effects = server, effects

    def prepare(self) -> None:
        pass

    async def connect(
        self, plan: Plan, approved: PriceQuote | None, *, metadata: Mapping[str, str], on_waiting: OnWaiting
    ) -> TinkerBackend:
        if self.server.get("down", False):
            raise Transient("the fake server does not answer")
        if self.server.take("refused_connections"):
            raise Outage("the fake server answers 503")
        return FakeBackend(self.server, approved or FREE, self.effects)

    def ailing(self) -> str:
        return "the fake server does not answer" if self.server.get("down", False) else ""
