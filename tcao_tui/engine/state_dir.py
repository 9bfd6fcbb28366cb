"""The engine's place on disk and the two files others find it by: `engine.json` (address) and `key`.

One engine per folder: the lock is an OS file lock, so the kernel releases it when the process dies in whatever way.
Out of scope: what is stored (`storage.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from tcao_tui.errors import Refused

KEY_PREFIX = "tml-local-"
"""The SDK accepts only keys that start with `tml-`."""


class StateDir:
    """A state folder held by this process.

    Args:
        root: The folder; created (0700) when missing.

    Raises:
        Refused: Another engine holds the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = self._take_lock()

    def _take_lock(self) -> IO[str]:
        lock = (self.root / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise Refused(
                "another engine is running on this state directory",
                where=str(self.root),
                next_step="use that one (its address is in engine.json), stop it, or choose another --state-dir",
            ) from error
        return lock

    def key(self) -> str:
        """The key that clients must present; made on first use, readable by this user only."""
        path = self.root / "key"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            found = path.read_text(encoding="ascii").strip()
            if found.startswith(KEY_PREFIX):
                return found
            descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC, 0o600)
        made = KEY_PREFIX + secrets.token_urlsafe(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made + "\n")
            file.flush()
            os.fsync(file.fileno())
        return made

    def announce(self, url: str, version: str, folders: Mapping[str, Path]) -> None:
        """Write `engine.json` in one step, once the engine answers at `url`; `folders` are those of its models."""
        entry = {
            "url": url,
            "pid": os.getpid(),
            "pid_start_ticks": start_ticks(os.getpid()),
            "version": version,
            "model_dirs": {name: str(folder) for name, folder in folders.items()},
        }
        unfinished = self.root / "engine.json.tmp"
        unfinished.write_text(json.dumps(entry) + "\n", encoding="utf-8")
        unfinished.replace(self.root / "engine.json")

    def retract(self) -> None:
        """Remove `engine.json`: nothing answers there any more."""
        (self.root / "engine.json").unlink(missing_ok=True)


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (`/proc/PID/stat`, field 22); None where there is no /proc.

    Together with the pid this names one process for good, so that a reused pid is never mistaken for the engine.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])
