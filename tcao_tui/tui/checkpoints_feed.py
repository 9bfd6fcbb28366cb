"""The feed of the checkpoint browser: lists a server again and again, the first time page by page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tcao_tui.tui.feed import Feed, Pace

if TYPE_CHECKING:
    from tcao_tui.domain.checkpoint_listing import CheckpointListing
    from tcao_tui.tui.ports import CheckpointsPort

_APART = Pace(10.0, 10.0, 10.0)

_LISTINGS_APART = 5
"""A server that takes long to list is asked less often: after so many times as long as it took."""


class CheckpointsFeed(Feed):
    """Watches the checkpoints of one server.

    Args:
        open_checkpoints: Opens the port; called in a thread.
        pace: How long to wait at least.

    Attributes:
        source: The port, once it is open; what is done to checkpoints goes through it too.
    """

    @dataclass
    class Listed(Message):
        """What is known by now."""

        listing: CheckpointListing
        backend: str

    def __init__(self, open_checkpoints: Callable[[], CheckpointsPort], pace: Pace = _APART) -> None:
        super().__init__(pace)
        self._open = open_checkpoints
        self.source: CheckpointsPort | None = None
        self._took_seconds = 0.0
        self._is_first = True

    def read(self) -> list[Message]:
        """All checkpoints; the first time each page is told as soon as it is there."""
        source = self.source = self.source or self._open()
        began = time.monotonic()

        def tell(listing: CheckpointListing) -> None:
            if self._is_first:
                self.post_message(self.Listed(listing, source.backend))

        listing = source.listing(tell)
        self._is_first = False
        self._took_seconds = time.monotonic() - began
        return [self.Listed(listing, source.backend)]

    def next_wait(self, changed: bool) -> float:
        """The same time again, longer for a slow server."""
        return max(self._pace.idle_seconds, _LISTINGS_APART * self._took_seconds)

    def close(self) -> None:
        """Let the port go."""
        if self.source is not None:
            self.source.close()
            self.source = None
