"""Checkpoints that the server will delete soon, and which of them a run still needs. Pure.

Extending them is `CheckpointDesk.guard`; while a worker lives, `worker.expiry` does it. `services.expiry_watch` tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import duration_text

WEEK_SECONDS = 7 * 24 * 3600
"""A resume point that lives for less than this is extended."""

SOON_SECONDS = (WEEK_SECONDS, 2 * 24 * 3600, 6 * 3600)
"""Times left at which a person is told of a resume point, the longest first."""

GUARDED_SECONDS = 2 * WEEK_SECONDS
"""To how long, so that looking once a week is enough."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """One checkpoint that will be deleted by the server; `guarded` says that a run may have to go on from it."""

    checkpoint: ListedCheckpoint
    seconds_left: float
    guarded: bool

    @property
    def stage(self) -> int:
        """How many of the times in `SOON_SECONDS` have come."""
        return sum(self.seconds_left < seconds for seconds in SOON_SECONDS)

    def describe(self) -> str:
        """`my-run step 40 expires in 2d03h`, with why it matters."""
        own = self.checkpoint.own
        name = f"{one_line(own.run_name, 40)} step {own.step}" if own else one_line(self.checkpoint.path)
        needed = f", and {own.status} it could not go on without it" if own and self.guarded else ""
        return f"{name} expires in {duration_text(self.seconds_left)}{needed}"


def expiring(
    checkpoints: Iterable[ListedCheckpoint], *, now: float, within_seconds: float = WEEK_SECONDS
) -> tuple[Expiring, ...]:
    """Those that expire within so many seconds from Unix time `now`, the first to go first."""
    found = [
        Expiring(c, c.server.expires_at - now, c.is_resume_point)
        for c in checkpoints
        if c.server.expires_at is not None and now < c.server.expires_at < now + within_seconds
    ]
    return tuple(sorted(found, key=lambda e: e.seconds_left))


def to_guard(checkpoints: Sequence[ListedCheckpoint], *, now: float) -> tuple[ListedCheckpoint, ...]:
    """Resume points of runs that are paused or down, with their sampler weights, that would expire within a week."""
    ending = [e.checkpoint for e in expiring(checkpoints, now=now)]
    points = {
        (c.server.training_run, c.server.name)
        for c in checkpoints
        if c.is_resume_point and c.own is not None and not c.own.is_worked_on
    }
    return tuple(c for c in ending if (c.server.training_run, c.server.name) in points)
