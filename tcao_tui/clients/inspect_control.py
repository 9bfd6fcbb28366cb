"""An Inspect process by its control socket: asked to let what is under way end.

Inspect documents this as a command line, which takes seconds to import; the HTTP beneath it answers in milliseconds and
may change, so an answer that is not as expected counts as no answer.
"""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 5.0
"""An event loop that scores hundreds of samples answers late."""

OLDEST_API, NEWEST_API = 3, 99
"""From version 3 on, a server refuses what it does not know rather than doing half of it."""


def live_tasks(path: Path) -> list[str]:
    """Ids of the tasks that a process has; empty when nobody answers or in no way that we know."""
    try:
        return [str(told["task_id"]) for told in _ask(path, "GET", "/tasks") if _is_known(told)]
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
        return []


def drain(path: Path) -> bool:
    """Ask a process to begin no further sample; True when it will."""
    try:
        tasks = live_tasks(path)
        for task in tasks:
            _ask(path, "POST", f"/tasks/{task}/drain")
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return bool(tasks)


def _is_known(told: dict[str, Any]) -> bool:
    return OLDEST_API <= int(told["api_version"]) <= NEWEST_API


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
