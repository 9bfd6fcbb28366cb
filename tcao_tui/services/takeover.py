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

from tcao_tui.domain.events import Launched
from tcao_tui.domain.run_view import SILENCE_LIMIT_SECONDS, LeaseState
from tcao_tui.errors import Refused
from tcao_tui.services.detached import ProcessIdentity
from tcao_tui.store.port import Cursor, RunStore

_FREE_SECONDS = 10.0
_POLL_SECONDS = 0.02


def end_silent_worker(store: RunStore, run_id: str, *, silence_seconds: float = SILENCE_LIMIT_SECONDS) -> None:
    """Kill the silent holder of a run, and wait until the kernel has freed its lock.

    Args:
        store: The run store.
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
    if lease.host != socket.gethostname() or lease.pid is None:
        raise Refused(
            f"{run_id} is held by a silent worker on {lease.host or 'another host'}",
            next_step="end it there, then resume",
        )
    _kill(run_id, _holder(store, run_id, lease))
    deadline = time.monotonic() + _FREE_SECONDS
    while store.lease(run_id).held:
        if time.monotonic() > deadline:
            raise Refused(
                f"{run_id}: worker {lease.pid} was killed and still holds the run", next_step="try again later"
            )
        time.sleep(_POLL_SECONDS)


def boot_id() -> str:
    """Names this boot of this machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _kill(run_id: str, holder: Launched | None) -> None:
    """SIGKILL exactly the process that launched: its descriptor is opened before its start time is compared."""
    if holder is None or not holder.boot_id or holder.boot_id != boot_id() or holder.start_ticks is None:
        raise Refused(
            f"{run_id}: its silent worker cannot be told from another process", next_step="end it, then resume"
        )
    try:
        descriptor = os.pidfd_open(holder.pid)
    except ProcessLookupError:
        return
    try:
        if ProcessIdentity(holder.pid, holder.start_ticks).is_alive:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)


def _holder(store: RunStore, run_id: str, lease: LeaseState) -> Launched | None:
    """What the holder of the newest fence said when it took the run."""
    cursor, found = Cursor(metric=2**62, spend=2**62), None
    while True:
        batch = store.read(run_id, cursor)
        for stored in batch.events:
            if isinstance(stored.event, Launched) and stored.event.fence == lease.fence:
                found = stored.event
        if not batch.more:
            return found
        cursor = batch.cursor
