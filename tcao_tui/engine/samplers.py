"""Sampling sessions: which weights a sampler stands for.

A sampler names a base model, a checkpoint path (looked up at each request, so that expiry counts), its own ephemeral
weights, or the in-flight weights of a run, which later saves replace. Out of scope: generation (`sampler.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.checkpoints import Checkpoints, parse_path
from tcao_tui.engine.storage import Database


@dataclass(frozen=True)
class SamplerWeights:
    """What to sample from: a base model and a blob of weights on it, or None."""

    base_model: str
    blob: str | None


class Samplers:
    """The samplers table.

    Args:
        database: Where they are kept.
        checkpoints: To resolve model paths.
        clock: Wall clock, seconds since 1970.
    """

    def __init__(self, database: Database, checkpoints: Checkpoints, clock: Callable[[], float]) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self._clock = clock
        self._dropped: list[str] = []

    def add(
        self,
        session_id: str,
        seq_id: int,
        base_model: str,
        *,
        model_path: str | None = None,
        blob: str | None = None,
        inflight_run: str | None = None,
    ) -> str:
        """Keep a sampler and return its id; a repeated request gets the same one."""
        sampler_id = f"{session_id}:sample:{seq_id}"
        self._database.write(
            "INSERT OR REPLACE INTO samplers (id, session_id, created_at, base_model, model_path, blob, inflight_run) "
            "VALUES (?,?,?,?,?,?,?)",
            sampler_id,
            session_id,
            self._clock(),
            base_model,
            model_path,
            blob,
            inflight_run,
        )
        return sampler_id

    def publish_inflight(self, run_id: str, blob: str) -> None:
        """Give all in-flight samplers of a run these weights."""
        old = self._database.row("SELECT blob FROM inflight WHERE run_id=?", run_id)
        if old is not None:
            self._dropped.append(old["blob"])
        self._database.write("INSERT OR REPLACE INTO inflight (run_id, blob) VALUES (?,?)", run_id, blob)

    def session_of(self, sampler_id: str) -> str:
        """The session a sampler belongs to. Raises ApiError 404 if there is no such sampler."""
        return self._row(sampler_id)["session_id"]

    def weights(self, sampler_id: str) -> SamplerWeights:
        """What a sampler stands for now.

        Raises:
            ApiError: 404, there is no such sampler, or its checkpoint is gone.
        """
        row = self._row(sampler_id)
        if row["model_path"] is not None:
            return SamplerWeights(row["base_model"], self.path_blob(row["model_path"]))
        if row["inflight_run"] is not None:
            found = self._database.row("SELECT blob FROM inflight WHERE run_id=?", row["inflight_run"])
            return SamplerWeights(row["base_model"], None if found is None else found["blob"])
        return SamplerWeights(row["base_model"], row["blob"])

    def path_blob(self, model_path: str) -> str:
        """The blob of a checkpoint that can be sampled from.

        Raises:
            ApiError: 400 not such a path, 404 no such checkpoint.
        """
        path = parse_path(model_path)
        if path.kind == "external_weights":
            raise ApiError(400, "external weights are for download; sample from weights/ or sampler_weights/")
        return self._checkpoints.row(path)["blob"]

    def join(self, sampler_id: str) -> int:
        """A number for a further client of a sampler, from 1 on."""
        self._row(sampler_id)
        self._database.write("UPDATE samplers SET clients=clients+1 WHERE id=?", sampler_id)
        return int(self._row(sampler_id)["clients"])

    def describe(self, sampler_id: str) -> dict[str, Any]:
        """A sampler as `GetSamplerResponse`."""
        row = self._row(sampler_id)
        return {"sampler_id": row["id"], "base_model": row["base_model"], "model_path": row["model_path"]}

    def drop_ephemeral(self, session_id: str) -> None:
        """Let go of the weights that only a session's samplers had."""
        mine = (f"{session_id}:",)
        found = self._database.rows(
            "SELECT blob FROM samplers WHERE session_id=? AND blob IS NOT NULL "
            "UNION SELECT blob FROM inflight WHERE substr(run_id, 1, length(?)) = ?",
            session_id,
            *mine,
            *mine,
        )
        self._dropped += [row["blob"] for row in found]
        with self._database.transaction():
            self._database.write("UPDATE samplers SET blob=NULL WHERE session_id=?", session_id)
            self._database.write("DELETE FROM inflight WHERE substr(run_id, 1, length(?)) = ?", *mine, *mine)

    def take_dropped(self) -> list[str]:
        """The blobs let go of since the last call."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def _row(self, sampler_id: str) -> dict[str, Any]:
        row = self._database.row("SELECT * FROM samplers WHERE id=?", sampler_id)
        if row is None:
            raise ApiError(404, f"there is no sampler {sampler_id}")
        return row
