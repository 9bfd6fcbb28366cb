"""Checkpoints: named, immutable weights of a training run, with metadata, expiry and a `tinker://` path.

A path has exactly three parts, `tinker://RUN/KIND/NAME`; it is only ever looked up, never joined to a file path.
Out of scope: the weight files (`storage.py`), producing them (`trainer.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.sessions import timestamp
from tcao_tui.engine.storage import Database, Value

KINDS = {"weights": "training", "sampler_weights": "sampler", "external_weights": "external"}
"""Path segment of a checkpoint -> its type in listings."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=+@-]{0,199}")
"""What a checkpoint may be called: one path segment, nothing that means something to a file system."""

MIN_TTL_SECONDS = 3600
MAX_TTL_SECONDS = 10 * 366 * 86400
"""Bounds of a time to live, from the SDK's documentation: one hour to ten years."""


@dataclass(frozen=True)
class CheckpointPath:
    """Where a checkpoint is: run, kind (path segment) and name."""

    run_id: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"tinker://{self.run_id}/{self.kind}/{self.name}"


def parse_path(path: str) -> CheckpointPath:
    """Read a `tinker://` path.

    Raises:
        ApiError: 400, it is not one.
    """
    parts = path.removeprefix("tinker://").split("/")
    if not path.startswith("tinker://") or len(parts) != 3 or parts[1] not in KINDS or not NAME.fullmatch(parts[2]):
        raise ApiError(400, f"not a checkpoint path: {path!r}")
    return CheckpointPath(parts[0], parts[1], parts[2])


def checked_name(name: str | None) -> str:
    """A name from a request, if it may be one.

    Raises:
        ApiError: 400, it is missing or has other characters than letters, digits and `._=+@-`.
    """
    if name is None or not NAME.fullmatch(name):
        raise ApiError(400, f"not a checkpoint name: {name!r} (letters, digits and ._=+@- only, at most 200)")
    return name


def checked_ttl(ttl_seconds: int | None) -> int | None:
    """A time to live from a request, if it is in bounds.

    Raises:
        ApiError: 400, it is not.
    """
    if ttl_seconds is not None and not MIN_TTL_SECONDS <= ttl_seconds <= MAX_TTL_SECONDS:
        raise ApiError(400, f"ttl_seconds must be between {MIN_TTL_SECONDS} and {MAX_TTL_SECONDS}, got {ttl_seconds}")
    return ttl_seconds


class Checkpoints:
    """The checkpoints table. Expired rows are treated as absent before they are removed.

    Args:
        database: Where they are kept.
        clock: Wall clock, seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        path: CheckpointPath,
        blob: str,
        size_bytes: int,
        *,
        ttl_seconds: int | None = None,
        user_metadata: dict[str, str] | None = None,
    ) -> None:
        """Name a durable blob, in place of an earlier checkpoint of this name if there is one."""
        now = self._clock()
        self._database.write(
            "INSERT OR REPLACE INTO checkpoints "
            "(run_id, kind, name, created_at, blob, size_bytes, expires_at, user_metadata) VALUES (?,?,?,?,?,?,?,?)",
            path.run_id,
            path.kind,
            path.name,
            now,
            blob,
            size_bytes,
            None if ttl_seconds is None else now + ttl_seconds,
            None if user_metadata is None else json.dumps(user_metadata),
        )

    def exists(self, path: CheckpointPath) -> bool:
        """Whether there is a live checkpoint of this name."""
        return self._find(path) is not None

    def row(self, path: CheckpointPath) -> dict[str, Any]:
        """The row of a live checkpoint.

        Raises:
            ApiError: 404, there is none (any more).
        """
        found = self._find(path)
        if found is None:
            raise ApiError(404, f"there is no checkpoint {path}: it was never saved, was deleted or has expired")
        return found

    def _find(self, path: CheckpointPath) -> dict[str, Any] | None:
        return self._database.row(
            "SELECT * FROM checkpoints WHERE run_id=? AND kind=? AND name=? AND (expires_at IS NULL OR expires_at>?)",
            path.run_id,
            path.kind,
            path.name,
            self._clock(),
        )

    def of_run(self, run_id: str) -> list[dict[str, Any]]:
        """All live checkpoints of a run in the form of listings, oldest first."""
        return self._listing("run_id=? AND", "ASC", run_id)

    def page(self, limit: int, offset: int) -> dict[str, Any]:
        """One page of all live checkpoints as `CheckpointsListResponse`, newest first."""
        live = "(expires_at IS NULL OR expires_at>?)"
        total = self._database.count(f"SELECT COUNT(*) FROM checkpoints WHERE {live}", self._clock())
        found = self._listing("", "DESC", limit=limit, offset=offset)
        return {"checkpoints": found, "cursor": {"offset": offset, "limit": limit, "total_count": total}}

    def latest(self, run_id: str, kind: str) -> dict[str, Any] | None:
        """The newest live checkpoint of one kind in the form of listings."""
        found = self._listing("run_id=? AND kind=? AND", "DESC", run_id, kind, limit=1)
        return found[0] if found else None

    def _listing(
        self, condition: str, direction: str, *values: Value, limit: int = -1, offset: int = 0
    ) -> list[dict[str, Any]]:
        sql = (
            f"SELECT * FROM checkpoints WHERE {condition} (expires_at IS NULL OR expires_at>?) "
            f"ORDER BY created_at {direction}, rowid {direction} LIMIT ? OFFSET ?"
        )
        return [_listed(row) for row in self._database.rows(sql, *values, self._clock(), limit, offset)]

    def set_public(self, path: CheckpointPath, public: bool) -> None:
        """Publish or unpublish. Raises ApiError 404 like `row`."""
        self.row(path)
        sql = "UPDATE checkpoints SET public=? WHERE run_id=? AND kind=? AND name=?"
        self._database.write(sql, int(public), path.run_id, path.kind, path.name)

    def set_ttl(self, path: CheckpointPath, ttl_seconds: int | None) -> None:
        """Let it expire so many seconds from now, or never. Raises ApiError 404 like `row`."""
        self.row(path)
        expires_at = None if ttl_seconds is None else self._clock() + ttl_seconds
        sql = "UPDATE checkpoints SET expires_at=? WHERE run_id=? AND kind=? AND name=?"
        self._database.write(sql, expires_at, path.run_id, path.kind, path.name)

    def delete(self, path: CheckpointPath) -> str:
        """Remove the row and return its blob. Raises ApiError 404 like `row`."""
        blob = self.row(path)["blob"]
        sql = "DELETE FROM checkpoints WHERE run_id=? AND kind=? AND name=?"
        self._database.write(sql, path.run_id, path.kind, path.name)
        return blob

    def remove_expired(self) -> list[str]:
        """Remove the rows whose time is over and return their blobs."""
        now = self._clock()
        gone = self._database.rows("SELECT blob FROM checkpoints WHERE expires_at<=?", now)
        if gone:
            self._database.write("DELETE FROM checkpoints WHERE expires_at<=?", now)
        return [row["blob"] for row in gone]


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the SDK's `Checkpoint`."""
    path = CheckpointPath(row["run_id"], row["kind"], row["name"])
    return {
        "checkpoint_id": f"{path.kind}/{path.name}",
        "checkpoint_type": KINDS[path.kind],
        "time": timestamp(row["created_at"]),
        "tinker_path": str(path),
        "size_bytes": row["size_bytes"],
        "public": bool(row["public"]),
        "user_metadata": None if row["user_metadata"] is None else json.loads(row["user_metadata"]),
        "expires_at": None if row["expires_at"] is None else timestamp(row["expires_at"]),
    }
