"""An Inspect process by its control socket: how far it is, and asking it to let what is under way end.

Inspect documents this as a command line, which takes seconds to import; the HTTP beneath it answers in milliseconds and
may change, so an answer that is not as expected counts as no answer.
"""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 5.0
"""An event loop that scores hundreds of samples answers late."""

OLDEST_API, NEWEST_API = 3, 99
"""From version 3 on, a server refuses what it does not know rather than doing half of it."""


@dataclass(frozen=True, slots=True)
class LiveTask:
    """A task that an Inspect process has, with samples by how far they are."""

    task_id: str
    total: int
    completed: int
    in_flight: int


def live_tasks(path: Path) -> list[LiveTask]:
    """What a process is at; empty when nobody answers or in no way that we know."""
    try:
        return [task for told in _ask(path, "GET", "/tasks") if (task := _task(told)) is not None]
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
        return []


def drain(path: Path) -> bool:
    """Ask a process to begin no further sample; True when it will."""
    try:
        tasks = live_tasks(path)
        for task in tasks:
            _ask(path, "POST", f"/tasks/{task.task_id}/drain")
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return bool(tasks)


def _task(told: dict[str, Any]) -> LiveTask | None:
    if not OLDEST_API <= int(told["api_version"]) <= NEWEST_API:
        return None
    samples = told["samples"]
    return LiveTask(
        task_id=str(told["task_id"]),
        total=int(samples["total"]),
        completed=int(samples["completed"]),
        in_flight=int(samples.get("in_flight", 0)),
    )


def _ask(path: Path, method: str, target: str) -> list[dict[str, Any]]:
    link = _UnixConnection(path)
    try:
        link.request(method, target)
        answer = link.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise http.client.HTTPException(f"status {answer.status}")
        told: Any = json.loads(body)
        return told if isinstance(told, list) else [told]
    finally:
        link.close()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_SECONDS)
        self.sock.connect(str(self._path))
