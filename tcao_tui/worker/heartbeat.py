"""Two threads that speak while the method is busy: one says that the worker lives, one that the server does not."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

from tcao_tui.domain.events import Finished, Waiting, WaitReason
from tcao_tui.domain.run_view import HEARTBEAT_SECONDS
from tcao_tui.errors import ExitCode, TcaoError
from tcao_tui.store.port import Fenced
from tcao_tui.worker.journal import Journal
from tcao_tui.worker.stopping import StopFlag

HEALTH_SECONDS = 3.0
"""How often the server's health is asked for: an outage has to be visible within 15 s."""


def leave_to_successor() -> NoReturn:
    """End at once: another worker has the run, and nothing of this one may be written any more."""
    print("another worker took this run: ending without a trace", file=sys.stderr, flush=True)
    os._exit(ExitCode.REFUSED)


class _Repeating:
    """A daemon thread that does something again and again until it is told to end."""

    def __init__(self, seconds: float, name: str) -> None:
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """End; nothing is done after this returns."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self.once()
            except Fenced:
                leave_to_successor()
            except (TcaoError, OSError) as error:
                # A full disk must not silence the heartbeat for good: the next one may find space.
                print(f"{self._thread.name}: {error}", file=sys.stderr, flush=True)

    def once(self) -> None:
        """What is done."""
        raise NotImplementedError


class Heartbeat(_Repeating):
    """Says every `seconds` that the worker lives."""

    def __init__(self, journal: Journal, seconds: float = HEARTBEAT_SECONDS) -> None:
        super().__init__(seconds, "heartbeat")
        self._journal = journal

    def once(self) -> None:
        """One beat."""
        self._journal.heartbeat()


class Waits:
    """Waits as they begin and end, each committed once, whoever notices them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._since: dict[WaitReason, float] = {}

    def report(self, reason: WaitReason, over: bool, detail: str = "") -> None:
        """Note that a wait goes on, or that it is over."""
        with self._lock:
            if over == (reason not in self._since):
                return
            since = self._since.pop(reason) if over else self._since.setdefault(reason, self._journal.clock())
            self._journal.commit(Waiting(reason=reason, since=since, detail=detail, over=over))

    def is_on(self, reason: WaitReason) -> bool:
        """Whether such a wait goes on."""
        return reason in self._since


class OutageWatch(_Repeating):
    """Asks the server for its health beside the training, and says when it is out and when it is back.

    Args:
        ailing: Why the server does not answer; empty when it does. Blocks for a few seconds at most.
        waits: Where waits are reported.
        seconds: Pause between two questions.
    """

    def __init__(self, ailing: Callable[[], str], waits: Waits, seconds: float = HEALTH_SECONDS) -> None:
        super().__init__(seconds, "outage watch")
        self._ailing, self._waits = ailing, waits
        self._bad_in_a_row = 0

    def once(self) -> None:
        """One question; a single missed answer is not an outage yet."""
        reason = self._ailing()
        self._bad_in_a_row = self._bad_in_a_row + 1 if reason else 0
        if self._bad_in_a_row != 1:
            self._waits.report("outage", not reason, reason)


class Grace(_Repeating):
    """Ends a signalled worker that does not end by itself, before the system kills it without a word.

    Args:
        journal: Where the end is committed.
        stop: Tells of the signal.
        grace_seconds: How long the worker may take.
    """

    def __init__(self, journal: Journal, stop: StopFlag, grace_seconds: float) -> None:
        super().__init__(grace_seconds / 20, "grace")
        self._journal, self._stop, self._left = journal, stop, 20

    def once(self) -> None:
        """One look, a twentieth of the grace."""
        if not self._stop.signalled:
            return
        self._left -= 1
        if self._left <= 0:
            what = "ended by a signal before the next checkpoint"
            self._journal.commit(Finished(outcome="interrupted", exit_code=ExitCode.RESUMABLE, what=what))
            os._exit(ExitCode.RESUMABLE)
