"""Numbered side effects: every point at which a dying worker could leave something half done.

A test sets TCAO_CRASH_AT=k (or TCAO_CRASH_AFTER=k) and the process kills itself right before (after) the k-th one,
counted from 1; TCAO_CRASH_LOG names a file that lists them. Unset, a point costs one method call.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType


class SideEffects:
    """Counts side effects and dies at a chosen one.

    Args:
        crash_before: Number of the effect to die before; 0: none.
        crash_after: Number of the effect to die after; 0: none.
        log: File that gets one line per effect; None: no log.
    """

    def __init__(self, *, crash_before: int = 0, crash_after: int = 0, log: Path | None = None) -> None:
        self._crash_before, self._crash_after, self._log = crash_before, crash_after, log
        self._active = bool(crash_before or crash_after or log)
        self._count = 0
        self._nothing = nullcontext()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> SideEffects:
        """As the environment says; without these variables nothing is counted."""
        log = environ.get("TCAO_CRASH_LOG")
        return cls(
            crash_before=int(environ.get("TCAO_CRASH_AT") or 0),
            crash_after=int(environ.get("TCAO_CRASH_AFTER") or 0),
            log=Path(log) if log else None,
        )

    def point(self, name: str) -> AbstractContextManager[None]:
        """Wrap one side effect: `with effects.point("store.commit"): ...`."""
        if not self._active:
            return self._nothing
        self._count += 1
        self._begin(name)
        return _Point(self._count == self._crash_after)

    def _begin(self, name: str) -> None:
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(f"{self._count} {name}\n")
        if self._count == self._crash_before:
            _die()


class _Point(AbstractContextManager[None]):
    def __init__(self, crash_after: bool) -> None:
        self._crash_after = crash_after

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._crash_after:
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
