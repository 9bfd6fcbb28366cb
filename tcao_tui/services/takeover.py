"""Ending a worker that holds a run but is silent: frozen, stopped, or stuck. Nothing here touches a live worker.

A stopped process keeps the kernel's lock, so a new worker cannot start before it is gone. A process is only ever
signalled when its pid *and* its start time are those that it told; the fence in the store guards the rest.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

from tcao_tui.domain.run_view import SILENCE_LIMIT_SECONDS
from tcao_tui.errors import Refused
from tcao_tui.services.detached import start_ticks
from tcao_tui.store.lease import ProcessIdentity, boot_id, holder
from tcao_tui.store.port import RunStore

_FREE_SECONDS = 10.0
_POLL_SECONDS = 0.02


def end_silent_worker(
    store: RunStore, runs_root: Path, run_id: str, *, silence_seconds: float = SILENCE_LIMIT_SECONDS
) -> None:
    """Kill the silent holder of a run, and wait until the kernel has freed its lock.

    Args:
        store: The run store.
        runs_root: Its root.
        run_id: The run.
        silence_seconds: Silence that counts as lost.

    Raises:
        Refused: It is not silent, it runs on another host, or it cannot be told from another process.
    """
    lease = store.lease(run_id)
    if not lease.held:
        return
    age = lease.heartbeat_age_seconds
    if age is not None and age <= silence_seconds:
        raise Refused(f"{run_id} is alive: worker {lease.pid} spoke {age:.0f} s ago", next_step=f"tcao watch {run_id}")
    _kill(run_id, holder(runs_root / run_id))
    deadline = time.monotonic() + _FREE_SECONDS
    while store.lease(run_id).held:
        if time.monotonic() > deadline:
            raise Refused(
                f"{run_id}: worker {lease.pid} was killed and still holds the run", next_step="try again later"
            )
        time.sleep(_POLL_SECONDS)


def _kill(run_id: str, who: ProcessIdentity | None) -> None:
    """SIGKILL exactly the process that wrote itself into the lock: its descriptor is opened before it is compared."""
    if who is None or not who.boot_id or who.boot_id != boot_id() or who.host != socket.gethostname():
        raise Refused(
            f"{run_id} is held by a silent worker that cannot be told for sure", next_step="end it there first"
        )
    try:
        descriptor = os.pidfd_open(who.pid)
    except ProcessLookupError:
        return
    try:
        if who.start_ticks is not None and start_ticks(who.pid) == who.start_ticks:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)
