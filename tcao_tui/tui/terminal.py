"""Noticing that the terminal is gone, and leaving without a trace: a console that reads from a dead terminal spins.

Runs do not care: their workers have no terminal. Also what the terminal's clipboard takes.
"""

from __future__ import annotations

import base64
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


def osc_52(text: str) -> str:
    """The escape sequence that puts a text on the clipboard of the terminal, also over SSH."""
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"


def tmux_passthrough(sequence: str) -> str:
    """A sequence as tmux hands it on to the terminal around it, where `allow-passthrough` is on."""
    return f"\x1bPtmux;{sequence.replace('\x1b', '\x1b\x1b')}\x1b\\"
