"""Noticing that the terminal is gone, and leaving without a trace: a console that reads from a dead terminal spins.

Runs do not care: their workers have no terminal.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable

LEAVE_SECONDS = 3.0
"""How long an orderly exit may take before the process ends itself: writing to a dead terminal can block for good."""

HANGUP_EXIT = 128 + signal.SIGHUP


def terminal_is_gone(descriptor: int) -> bool:
    """Whether the other end of the terminal was closed."""
    watch = select.poll()
    watch.register(descriptor, select.POLLHUP | select.POLLERR | select.POLLNVAL)
    return any(happened & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _fd, happened in watch.poll(0))


def leave_soon(leave: Callable[[], object]) -> None:
    """Ask for an orderly exit, and make sure of an end."""
    last = threading.Timer(LEAVE_SECONDS, os._exit, (HANGUP_EXIT,))
    last.daemon = True
    last.start()
    # A dead terminal makes the output thread raise: nobody is left to read the traceback.
    threading.excepthook = lambda _arguments: None
    leave()
