"""Drivers: processes that hold the lock of a directory while they carry out what lies there. Started, and being one."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tcao_tui.errors import ExitCode, Refused, TcaoError
from tcao_tui.services import detached
from tcao_tui.store.lease import RunLock, holder

START_SECONDS = 30.0
"""How long a driver may take to say that it has the lock; it does so before it loads anything heavy."""

_POLL_SECONDS = 0.02
_LOG_TAIL_CHARACTERS = 2_000


@contextmanager
def driving(place: Path, *, what: str, next_step: str) -> Generator[None]:
    """Be the driver of a directory within this block.

    Args:
        place: The directory, which exists.
        what: What is carried out, for errors: `sweep ranks`.
        next_step: How to look at one that is carried out already.

    Raises:
        Refused: Another process has the lock.
    """
    lock = RunLock(place)
    try:
        lock.acquire()
    except Refused:
        who = holder(place)
        raise Refused(
            f"{what} is being carried out by process {who.pid if who else '?'}", next_step=next_step
        ) from None
    try:
        yield
    finally:
        lock.release()


def start_driver(
    argv: Sequence[str], place: Path, log: Path, *, what: str, next_step: str, environ: Mapping[str, str]
) -> int:
    """Spawn it and wait until it has the lock, or is through already; returns its pid.

    Args:
        argv: Its program and arguments.
        place: The directory whose lock it takes.
        log: What it prints is appended to this file.
        what: What it carries out, for errors: `sweep ranks`.
        next_step: How to look at one that is carried out already.
        environ: Its environment.

    Raises:
        Refused: Another one has the lock.
        TcaoError: It ended before it took the lock; says why.
    """
    start = log.stat().st_size if log.exists() else 0
    pid = detached.spawn(argv, log_file=log, environ=dict(environ))
    deadline = time.monotonic() + START_SECONDS
    while not (RunLock.probe(place) and (who := holder(place)) is not None and who.pid == pid):
        code = detached.exit_status(pid)
        if code in (ExitCode.OK, ExitCode.RESUMABLE):
            return pid
        if code == ExitCode.REFUSED:
            raise Refused(f"{what} is being carried out already", next_step=next_step)
        if code is not None or time.monotonic() > deadline:
            told = log.read_bytes()[start:].decode("utf-8", "replace").strip()[-_LOG_TAIL_CHARACTERS:]
            raise TcaoError(f"the process that carries {what} out did not start: {told or 'it said nothing'}")
        time.sleep(_POLL_SECONDS)
    return pid
