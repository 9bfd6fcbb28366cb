"""Sessions and their samplers: who is connected, who finished, who went silent.

A session that was active when the engine stopped is active again after a restart, with a fresh heartbeat; what it held
in memory is gone. Out of scope: training runs (`runs.py`) and the work itself.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.storage import Database, Value

OWNER = "local"
"""The one user of a local engine."""

PROJECT = "local"


def timestamp(seconds: float) -> str:
    """An instant (seconds since 1970) as the ISO 8601 text the SDK parses."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


class Sessions:
    """The sessions table, and the last heartbeat of each active session.

    Args:
        database: Where they are kept.
        clock: Wall clock, seconds since 1970.
        timeout_seconds: Silence after which a session ends. Tinker's own value is not published.
    """

    def __init__(self, database: Database, clock: Callable[[], float], timeout_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        active = database.rows("SELECT id FROM sessions WHERE state='active'")
        self._last_beat = {row["id"]: time.monotonic() for row in active}

    def create(self, body: dict[str, Any]) -> str:
        """A new active session from a `CreateSessionRequest` body. Returns its id."""
        session_id = str(uuid.uuid4())
        self._database.write(
            "INSERT INTO sessions (id, created_at, display_name, project_id, user_metadata, sdk_version, state) "
            "VALUES (?,?,?,?,?,?,'active')",
            session_id,
            self._clock(),
            body.get("display_name"),
            body.get("project_id"),
            json.dumps(body.get("user_metadata") or {}),
            str(body.get("sdk_version", "")),
        )
        self._last_beat[session_id] = time.monotonic()
        return session_id

    def require_active(self, session_id: str) -> None:
        """Accept a request of this session.

        Raises:
            ApiError: 404 unknown, 410 ended.
        """
        if session_id in self._last_beat:
            return
        row = self._row(session_id)
        why = "went silent and was ended" if row["state"] == "expired" else f"has finished ({row['reason']})"
        raise ApiError(410, f"session {session_id} {why}")

    def heartbeat(self, session_id: str) -> None:
        """Note that the client lives.

        Raises:
            ApiError: 404 unknown, 410 ended.
        """
        self.require_active(session_id)
        self._last_beat[session_id] = time.monotonic()

    def finish(self, session_id: str, reason: str, detail: str | None) -> bool:
        """End a session for the reason its client gives; the first reason stays.

        Returns:
            Whether this call ended it.
        """
        self._row(session_id)
        return self._end(session_id, "finished", reason, detail)

    def expire_silent(self) -> list[str]:
        """End the sessions that have been silent for too long and return their ids."""
        limit = time.monotonic() - self._timeout_seconds
        silent = [session_id for session_id, beat in self._last_beat.items() if beat < limit]
        return [session_id for session_id in silent if self._end(session_id, "expired", None, None)]

    def _end(self, session_id: str, state: str, reason: str | None, detail: str | None) -> bool:
        self._last_beat.pop(session_id, None)
        sql = "UPDATE sessions SET state=?, reason=?, detail=?, ended_at=? WHERE id=? AND state='active'"
        return self._database.write(sql, state, reason, detail, self._clock(), session_id) > 0

    def _row(self, session_id: str) -> dict[str, Any]:
        row = self._database.row("SELECT * FROM sessions WHERE id=?", session_id)
        if row is None:
            raise ApiError(404, f"there is no session {session_id}")
        return row

    def ids(self, limit: int, offset: int) -> list[str]:
        """Session ids, newest first."""
        sql = "SELECT id FROM sessions ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
        return [row["id"] for row in self._database.rows(sql, limit, offset)]

    def describe(self, session_id: str) -> dict[str, Any]:
        """One session as `GetSessionResponse`."""
        row = self._row(session_id)
        runs = self._database.rows("SELECT id FROM runs WHERE session_id=? ORDER BY created_at", session_id)
        samplers = self._database.rows("SELECT id FROM samplers WHERE session_id=? ORDER BY created_at", session_id)
        return {
            "training_run_ids": [run["id"] for run in runs],
            "sampler_ids": [sampler["id"] for sampler in samplers],
            "user_metadata": json.loads(row["user_metadata"]),
            "display_name": row["display_name"],
        }

    def assign_project(self, session_id: str, project_id: str) -> None:
        """Move a session to a project; the engine only keeps the name."""
        self._row(session_id)
        self._database.write("UPDATE sessions SET project_id=? WHERE id=?", project_id, session_id)

    def search(self, query: dict[str, Any]) -> dict[str, Any]:
        """One page of `SessionSearchResponse`, newest first, for a `SessionSearchRequest` body."""
        limit = min(max(int(query.get("limit", 50)), 1), 200)
        conditions, values = ["1"], list[Value]()
        if cursor := query.get("cursor"):
            conditions.append("(created_at, id) < (?, ?)")
            values += [datetime.fromisoformat(cursor["last_created_at"]).timestamp(), cursor["last_session_id"]]
        if query.get("session_id") and not query.get("display_name"):
            conditions.append("id = ?")
            values.append(query["session_id"])
        sql = f"SELECT * FROM sessions WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id DESC"
        found = (row for row in self._database.rows(sql, *values) if _matches(row, query))
        page: list[dict[str, Any]] = []
        for row in found:
            if len(page) == limit:
                last = page[-1]
                next_cursor = {"last_created_at": last["created_at"], "last_session_id": last["session_id"]}
                return {"sessions": page, "next_cursor": next_cursor}
            page.append(self._summary(row))
        return {"sessions": page, "next_cursor": None}

    def _summary(self, row: dict[str, Any]) -> dict[str, Any]:
        totals = self._database.row(
            "SELECT COUNT(*) AS number, COALESCE(SUM(size_bytes),0) AS bytes FROM checkpoints "
            "JOIN runs ON runs.id = checkpoints.run_id WHERE runs.session_id = ?",
            row["id"],
        )
        return {
            "session_id": row["id"],
            "created_at": timestamp(row["created_at"]),
            "owner": OWNER,
            "project_id": row["project_id"] or PROJECT,
            "status": _status(row),
            "checkpoints_count": totals["number"] if totals else 0,
            "checkpoint_storage_bytes": totals["bytes"] if totals else 0,
            "display_name": row["display_name"],
            "user_metadata": json.loads(row["user_metadata"]),
        }


def _status(row: dict[str, Any]) -> dict[str, Any] | None:
    """A row's state as the SDK's `SessionStatus`; None for a session that went silent."""
    if row["state"] == "active":
        return {"type": "active"}
    if row["state"] == "finished":
        return {"type": "client_finished", "reason": {"type": row["reason"]}, "detail": row["detail"]}
    return None


def _matches(row: dict[str, Any], query: dict[str, Any]) -> bool:
    metadata = json.loads(row["user_metadata"])
    if any(metadata.get(key) != value for key, value in (query.get("user_metadata") or {}).items()):
        return False
    if query.get("project_ids") and (row["project_id"] or PROJECT) not in query["project_ids"]:
        return False
    if words := str(query.get("display_name") or "").lower().split():
        name = (row["display_name"] or "").lower()
        if not (all(word in name for word in words) or row["id"] == query.get("session_id")):
            return False
    statuses = query.get("statuses")
    if not statuses:
        return True
    status = _status(row)
    return status is not None and any(
        wanted["type"] == status["type"]
        and (not wanted.get("reasons") or status.get("reason", {}).get("type") in wanted["reasons"])
        for wanted in statuses
    )
