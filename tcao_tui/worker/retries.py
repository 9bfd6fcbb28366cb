"""How a worker goes on after the server failed it: capped back-off, and an end when nothing gets better."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 300.0
HOUR_SECONDS = 3600.0
FUTILE_ATTEMPTS = 6


class Retries:
    """Decides on the wait before the next attempt.

    Args:
        monotonic: Seconds on a clock that does not jump.
        first_seconds: Wait after the second failure in a row; the first retry comes at once.
        futile_attempts: Attempts without progress within an hour that end the run. Outages do not count.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        first_seconds: float = FIRST_SECONDS,
        futile_attempts: int = FUTILE_ATTEMPTS,
    ) -> None:
        self._monotonic, self._first_seconds, self._futile_attempts = monotonic, first_seconds, futile_attempts
        self._futile: deque[float] = deque()
        self._in_a_row = 0

    def wait_seconds(self, *, progressed: bool, outage: bool) -> float | None:
        """Seconds to wait before the next attempt; None: give up.

        Args:
            progressed: Whether the failed attempt recorded a step that no attempt had recorded before.
            outage: Whether the server does not answer at all; the wait then lasts until it does.
        """
        now = self._monotonic()
        if progressed:
            self._futile.clear()
            self._in_a_row = 0
        elif not outage:
            self._futile.append(now)
        while self._futile and now - self._futile[0] > HOUR_SECONDS:
            self._futile.popleft()
        if len(self._futile) >= self._futile_attempts:
            return None
        self._in_a_row += 1
        if self._in_a_row == 1:
            return 0.0
        return min(LONGEST_SECONDS, self._first_seconds * 2.0 ** min(self._in_a_row - 2, 16))
