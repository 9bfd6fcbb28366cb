"""How long checkpoints live on the server: extended while they may be needed, kept for good when they are results."""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.clients.tinker_port import TinkerBackend, Unsupported
from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.events import CheckpointSaved, LogLine
from tcao_tui.errors import BackendError
from tcao_tui.worker.journal import Journal

GOOD_TTL_SECONDS = 30 * 24 * 3600
"""Life of the last good checkpoint before something went wrong; counted anew when half of it is over."""


class Expiry:
    """Expiries of one run's checkpoints.

    Args:
        journal: Where they are recorded.
        backend: Where they are kept.
        ttl_seconds: Life of a resume point, as planned.
    """

    def __init__(self, journal: Journal, backend: TinkerBackend, ttl_seconds: int) -> None:
        self._journal, self._backend, self._ttl_seconds = journal, backend, ttl_seconds
        self._given_up: set[str] = set()

    async def extend(self, records: Sequence[CheckpointRecord]) -> None:
        """Count the life of resume points anew when half of it is over; a server that cannot is told about."""
        soon = self._journal.clock() + self._ttl_seconds / 2
        for record in records:
            if (
                record.expires_at is not None
                and record.expires_at < soon
                and not await self._expire(record, self._ttl_seconds)
            ):
                return

    async def keep_good(self, records: Sequence[CheckpointRecord]) -> None:
        """Let these live for `GOOD_TTL_SECONDS` at least; a failure is told once and only costs the time."""
        ttl_seconds = max(GOOD_TTL_SECONDS, self._ttl_seconds)
        soon = self._journal.clock() + GOOD_TTL_SECONDS / 2
        for record in records:
            if record.expires_at is not None and record.expires_at < soon:
                await self._try(record, ttl_seconds)

    async def keep(self, records: Sequence[CheckpointRecord]) -> None:
        """Let these live for good; a failure is told once."""
        for record in records:
            if record.expires_at is not None:
                await self._try(record, None)

    async def set(self, record: CheckpointRecord, ttl_seconds: int | None) -> bool:
        """Set when both halves of a checkpoint expire, counted from now; False, and told, where the server cannot.

        A half that a person pinned gets no expiry.
        """
        pinned = frozenset[str]() if ttl_seconds is None else self._journal.pinned()
        try:
            for path in (record.state_path, record.sampler_path):
                if path is not None and path not in pinned:
                    await self._backend.set_ttl(path, ttl_seconds)
        except Unsupported as error:
            self._tell(record, error)
            return False
        return True

    async def _try(self, record: CheckpointRecord, ttl_seconds: int | None) -> None:
        if record.name in self._given_up:
            return
        try:
            done = await self._expire(record, ttl_seconds)
        except BackendError as error:
            # The next training call shows whether the server is lost; this must not decide it.
            self._tell(record, error)
            done = False
        if not done:
            self._given_up.add(record.name)

    async def _expire(self, record: CheckpointRecord, ttl_seconds: int | None) -> bool:
        if not await self.set(record, ttl_seconds):
            return False
        expires_at = None if ttl_seconds is None else self._journal.clock() + ttl_seconds
        self._journal.commit(CheckpointSaved(checkpoint=record.model_copy(update={"expires_at": expires_at})))
        return True

    def _tell(self, record: CheckpointRecord, error: BackendError) -> None:
        self._journal.commit(LogLine(level="warning", message=f"{record.name} keeps its expiry: {error.what}"))
