"""Training runs: what each model was created from, kept for listings and for loading its checkpoints.

Out of scope: the weights in memory (`models.py`) and the checkpoints (`checkpoints.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.checkpoints import Checkpoints
from tcao_tui.engine.sessions import OWNER, timestamp
from tcao_tui.engine.storage import Database


@dataclass(frozen=True)
class LoraSpec:
    """The adapter of a run, as in the SDK's `LoraConfig`; `seed` None means a random start."""

    rank: int
    seed: int | None = None
    train_unembed: bool = True
    train_mlp: bool = True
    train_attn: bool = True


@dataclass(frozen=True)
class Run:
    """One training run."""

    id: str
    session_id: str
    base_model: str
    lora: LoraSpec


class Runs:
    """The runs table.

    Args:
        database: Where they are kept.
        checkpoints: For the newest checkpoint in listings.
        clock: Wall clock, seconds since 1970.
    """

    def __init__(self, database: Database, checkpoints: Checkpoints, clock: Callable[[], float]) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self._clock = clock
        self._last_request: dict[str, float] = {}

    def add(self, run: Run, user_metadata: dict[str, Any] | None) -> None:
        """Keep a run; a repeated create replaces the row."""
        now = self._clock()
        self._database.write(
            "INSERT OR REPLACE INTO runs "
            "(id, session_id, created_at, last_request_at, base_model, lora, user_metadata) VALUES (?,?,?,?,?,?,?)",
            run.id,
            run.session_id,
            now,
            now,
            run.base_model,
            json.dumps(asdict(run.lora)),
            None if user_metadata is None else json.dumps(user_metadata),
        )

    def get(self, run_id: str) -> Run:
        """One run.

        Raises:
            ApiError: 404, there is none.
        """
        row = self._row(run_id)
        return Run(row["id"], row["session_id"], row["base_model"], LoraSpec(**json.loads(row["lora"])))

    def _row(self, run_id: str) -> dict[str, Any]:
        row = self._database.row("SELECT * FROM runs WHERE id=?", run_id)
        if row is None:
            raise ApiError(404, f"there is no training run {run_id}")
        return row

    def touch(self, run_id: str) -> None:
        """Note a request; written to disk by the next `flush`, because a write per request would cost an fsync."""
        self._last_request[run_id] = self._clock()

    def flush(self) -> None:
        """Write the noted request times."""
        noted, self._last_request = self._last_request, {}
        if noted:
            with self._database.transaction():
                for run_id, at in noted.items():
                    self._database.write("UPDATE runs SET last_request_at=? WHERE id=?", at, run_id)

    def describe(self, run_id: str) -> dict[str, Any]:
        """One run as the SDK's `TrainingRun`."""
        self.flush()
        return self._listed(self._row(run_id))

    def page(self, limit: int, offset: int) -> dict[str, Any]:
        """One page as `TrainingRunsResponse`, last used first."""
        self.flush()
        sql = "SELECT * FROM runs ORDER BY last_request_at DESC, id DESC LIMIT ? OFFSET ?"
        found = [self._listed(row) for row in self._database.rows(sql, limit, offset)]
        total = self._database.count("SELECT COUNT(*) FROM runs")
        return {"training_runs": found, "cursor": {"offset": offset, "limit": limit, "total_count": total}}

    def _listed(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "training_run_id": row["id"],
            "base_model": row["base_model"],
            "model_owner": OWNER,
            "is_lora": True,
            "corrupted": False,
            "lora_rank": json.loads(row["lora"])["rank"],
            "last_request_time": timestamp(row["last_request_at"]),
            "last_checkpoint": self._checkpoints.latest(row["id"], "weights"),
            "last_sampler_checkpoint": self._checkpoints.latest(row["id"], "sampler_weights"),
            "user_metadata": None if row["user_metadata"] is None else json.loads(row["user_metadata"]),
        }
