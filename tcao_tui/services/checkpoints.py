"""Use cases on the checkpoints of one server: list them with what our runs know, act on them with the consequence said.

Every call goes through the helper process and may be made from any thread but a screen's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tcao_tui.clients.backend_calls import Call, Shape
from tcao_tui.clients.checkpoint_calls import WeightsInfo
from tcao_tui.domain.checkpoint_actions import Action
from tcao_tui.domain.checkpoint_listing import CheckpointListing, ListedCheckpoint
from tcao_tui.domain.pruning import Pruning
from tcao_tui.services.backend_helper import Ticket


class Asks(Protocol):
    """Who asks the server; `BackendHelper` does."""

    def call[PartT: Shape, ResultT: Shape](
        self, call: Call[PartT, ResultT], on_part: Callable[[PartT], None] | None = None, ticket: Ticket | None = None
    ) -> ResultT:
        """See `BackendHelper.call`."""
        ...


@dataclass(frozen=True, slots=True)
class ActionReport:
    """What came of an action: paths that it was done to, and an error for each other one."""

    done: tuple[str, ...]
    failed: tuple[tuple[str, str], ...] = ()


class CheckpointUseCases(Protocol):
    """What a screen or a command may do with the checkpoints of one server; `CheckpointDesk` is the real one."""

    def listing(
        self, on_page: Callable[[CheckpointListing], None] | None = None, ticket: Ticket | None = None
    ) -> CheckpointListing:
        """List everything; `on_page` takes what is known so far, in this thread. Raises as `Asks.call` does."""
        ...

    def describe(self, checkpoint: ListedCheckpoint) -> WeightsInfo:
        """What the server knows of the weights; without an answer for this, every field is None."""
        ...

    def act(
        self,
        action: Action,
        checkpoints: Sequence[ListedCheckpoint],
        *,
        typed: str = "",
        ttl_seconds: int | None = None,
        label: str = "",
        on_done: Callable[[str], None] | None = None,
    ) -> ActionReport:
        """Do it, if `domain.checkpoint_actions.consequences` allows it and what must be typed was.

        Args:
            action: What to do.
            checkpoints: As they were shown; their places are looked up again.
            typed: What the person typed, for actions that demand it.
            ttl_seconds: For `ttl`.
            label: For `label`; empty removes it.
            on_done: Takes each path that is dealt with, in this thread.

        Raises:
            Refused: It is not done, and why.
            NeedsInput: What must be typed was not.
            Unsupported: The server offers no such thing; the listing's `offers` say so from now on.
        """
        ...

    def prune(self, pruning: Pruning, *, digest: str) -> ActionReport:
        """Delete what was shown. Raises `NeedsInput` when `digest` is that of something else."""
        ...

    def guard(self, listing: CheckpointListing) -> ActionReport:
        """Extend resume points of runs that are paused or down and would lose them within a week."""
        ...
