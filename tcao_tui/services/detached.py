"""Processes that outlive the console: spawned in a session of their own, and known by pid and start time together."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when it is gone, a zombie, or there is no /proc."""
    fields = _stat(pid)
    return int(fields[19]) if fields is not None and fields[0] != "Z" else None


def _stat(pid: int) -> list[str] | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return stat.rpartition(")")[2].split()


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process for good: a reused pid has another start time. `ticks` is None where there is no /proc."""

    pid: int
    ticks: int | None

    @property
    def is_alive(self) -> bool:
        """Whether exactly this process runs."""
        if self.ticks is not None and sys.platform == "linux":
            return start_ticks(self.pid) == self.ticks
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def uptime_seconds(self) -> float | None:
        """Time since it started; None where the system does not tell."""
        if self.ticks is None:
            return None
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.ticks / os.sysconf("SC_CLK_TCK")

    def terminate(self) -> bool:
        """Send SIGTERM to exactly this process; False when it is gone."""
        if sys.platform != "linux":
            return self.is_alive and _kill(self.pid)
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            # The descriptor pins the process, so a match after opening cannot be a pid that was reused.
            if not self.is_alive:
                return False
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


def spawn(argv: Sequence[str], *, log_file: Path, environ: Mapping[str, str]) -> int:
    """Start a program that nothing of ours keeps alive or kills: own session, no stdin, output appended to a log.

    Args:
        argv: Absolute path of the program and its arguments; visible to other users, so never a key.
        log_file: Created readable by this user only.
        environ: Its environment.

    Returns:
        Its pid; the caller is its parent and may `os.waitpid` it.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        argv[0],
        list(argv),
        dict(environ),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log_file), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def exit_status(pid: int) -> int | None:
    """Exit code of a child that ended (negative: the signal that killed it), None while it runs or is not ours."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if found else None
