"""The kernel lock that a worker holds for its whole life, and who holds it.

The kernel frees the lock when its holder dies, however it dies. The descriptor is not inherited, because a forked child
would keep the lock of a dead worker. Fences and heartbeats are the business of the store.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tcao_tui.errors import Refused, TcaoError

LOCK_NAME = "lock"
_RETRY_SECONDS = 0.01
_HOLDER_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process for good: pids are used again, but not with the same start time in the same boot.

    Attributes:
        start_ticks: Start time in clock ticks since boot; None where there is no /proc.
        boot_id: Names the boot; empty where the system does not tell.
    """

    pid: int
    start_ticks: int | None
    boot_id: str
    host: str


def boot_id() -> str:
    """Names this boot of this machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def process_identity() -> ProcessIdentity:
    """Who this process is."""
    try:
        stat = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
        ticks = int(stat.rpartition(")")[2].split()[19])
    except OSError:
        ticks = None
    return ProcessIdentity(os.getpid(), ticks, boot_id(), socket.gethostname())


class RunLock:
    """The lock of one run.

    Args:
        run_dir: The run's directory; the lock file in it is never deleted, since a new one would be another lock.
    """

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self, timeout_seconds: float = 2.0) -> None:
        """Take the lock and write down who has it; kept until `release` or death.

        Args:
            timeout_seconds: Time to wait for somebody who only looks, which takes microseconds.

        Raises:
            Refused: Somebody else has it; names the process.
            TcaoError: The lock file cannot be made.
        """
        if self._descriptor is not None:
            return
        deadline = time.monotonic() + timeout_seconds
        while (descriptor := self._try()) is None:
            if time.monotonic() >= deadline:
                raise Refused(
                    f"{self._path.parent.name} is being carried out by {_named(holder(self._path.parent))}",
                    next_step=f"tcao watch {self._path.parent.name}",
                )
            time.sleep(_RETRY_SECONDS)
        self._descriptor = descriptor
        with suppress(OSError):  # a full disk takes only the name from those who ask, not the lock
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(process_identity())).encode(), 0)

    def release(self) -> None:
        """Let go; nothing happens when it is not held."""
        if self._descriptor is not None:
            # A child that is just being started may still have a copy of the descriptor; this frees the lock itself.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    @staticmethod
    def probe(run_dir: Path) -> bool:
        """Whether any process holds the run's lock; a starting worker that meets this look tries again."""
        try:
            descriptor = os.open(run_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Shared, so that two consoles that look at the same time do not see each other as a worker.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _try(self) -> int | None:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise TcaoError(f"the run's lock cannot be made: {error.strerror}", where=str(self._path)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        return None


def holder(run_dir: Path) -> ProcessIdentity | None:
    """Who took the run's lock last, as it wrote down itself; None when nobody did."""
    try:
        with (run_dir / LOCK_NAME).open("rb") as file:
            told: Any = json.loads(file.read(_HOLDER_BYTES))
        ticks = told["start_ticks"]
        return ProcessIdentity(
            int(told["pid"]), None if ticks is None else int(ticks), str(told["boot_id"]), str(told["host"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _named(who: ProcessIdentity | None) -> str:
    return f"process {who.pid} on {who.host}" if who else "another process"
