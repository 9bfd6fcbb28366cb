"""Requests that the server keeps refusing while the SDK tries them again in silence, read from the lines of httpx.

The SDK answers 402, 429 and 5xx by trying again for minutes; which request it is, and since when, only its HTTP
client says. Out of scope: a server that does not answer at all (`tinker_waiting` asks for its health).
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from tcao_tui.domain.events import WaitReason

_LOGGER = "httpx"
_PREFIX = "/api/v1/"
_BESIDE_THE_WORK = ("healthz", "session_heartbeat", "telemetry")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server has been answering to one kind of request since `since`, seconds of the monotonic clock."""

    verb: str
    status: int
    since: float

    @property
    def reason(self) -> WaitReason:
        """What it means."""
        reasons: dict[int, WaitReason] = {402: "billing", 429: "rate_limit"}
        return reasons.get(self.status, "outage")

    @property
    def detail(self) -> str:
        """What it is, for people."""
        return f"the server answers {self.status} to {self.verb}"


class Refusals(logging.Handler):
    """Keeps what is being refused; the first other answer to the same kind of request ends a refusal."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._refused: dict[str, Refusal] = {}
        self._entries_lock = threading.Lock()

    def start(self) -> None:
        """Begin to listen. httpx says nothing below INFO, which is not its level by default."""
        logger = logging.getLogger(_LOGGER)
        logger.setLevel(min(logger.getEffectiveLevel(), logging.INFO))
        logger.addHandler(self)

    def stop(self) -> None:
        """Stop listening."""
        logging.getLogger(_LOGGER).removeHandler(self)

    def lasting(self, seconds: float) -> Refusal | None:
        """The refusal that has lasted longest, at least `seconds`."""
        with self._entries_lock:
            refusals = list(self._refused.values())
        oldest = min(refusals, key=lambda refusal: refusal.since, default=None)
        return oldest if oldest is not None and time.monotonic() - oldest.since >= seconds else None

    def emit(self, record: logging.LogRecord) -> None:
        """Read one answer; on the thread that made the request."""
        match record.args:
            case (_, url, _, int(status), _):
                verb = _verb(urlsplit(str(url)).path)
            case _:
                return
        if not verb or verb in _BESIDE_THE_WORK:
            return
        with self._entries_lock:
            if status not in (402, 429) and status < 500:
                self._refused.pop(verb, None)
            elif (known := self._refused.get(verb)) is None or known.status != status:
                since = time.monotonic() if known is None else known.since
                self._refused[verb] = Refusal(verb, status, since)


def _verb(path: str) -> str:
    """First part of a path behind the prefix: the verb of most requests, the collection of the others."""
    _, found, rest = path.partition(_PREFIX)
    return rest.split("/")[0] if found else ""
