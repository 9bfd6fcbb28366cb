"""What a person looks at in the checkpoint browser: listing, arrangement, marks and the chosen row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tcao_tui.domain.checkpoint_listing import CheckpointListing, ListedCheckpoint
from tcao_tui.tui.panes.checkpoints.arrange import Arrangement, Group, Row, group_key, row_key


class Browsing:
    """Everything the browser remembers between two listings.

    Args:
        run_id: Show the checkpoints of this run only, to begin with.
        at_run: Begin at this run.

    Attributes:
        rows: Lines of the table.
        in_sight: Checkpoints that pass the filter, folded away or not.
        chosen: Key of the row under the cursor.
    """

    def __init__(self, *, run_id: str = "", at_run: str = "") -> None:
        self.arrangement = Arrangement(run_id=run_id)
        self.listing: CheckpointListing | None = None
        self.marked: frozenset[str] = frozenset()
        self.in_sight: Sequence[ListedCheckpoint] = ()
        self.rows: Sequence[Row] = ()
        self.chosen = group_key(at_run)
        self._places: dict[str, int] = {}

    def take(self, listing: CheckpointListing, now: float) -> None:
        """Go on with a newer listing; marks of what is gone are dropped once the listing is complete."""
        self.listing = listing
        if listing.complete:
            self.marked &= {c.path for c in listing.checkpoints}
        self.arrange(self.arrangement, now)

    def arrange(self, arrangement: Arrangement, now: float) -> None:
        """Look at the checkpoints in another way."""
        self.arrangement = arrangement
        if self.listing is not None:
            self.in_sight = arrangement.in_sight(self.listing.checkpoints, now)
            self.rows = arrangement.rows(self.in_sight)
            self._places = {row_key(row): index for index, row in enumerate(self.rows)}

    @property
    def place(self) -> int | None:
        """Index of the chosen row; in a fold, that of its heading; None when it is gone."""
        if self.chosen in self._places:
            return self._places[self.chosen]
        member = self.listing.at(self.chosen) if self.listing else None
        return self._places.get(group_key(member.group)) if member else None

    def choose(self, index: int) -> None:
        """Put the cursor on a row."""
        self.chosen = row_key(self.rows[index]) if 0 <= index < len(self.rows) else ""

    @property
    def row(self) -> Row | None:
        """What is under the cursor."""
        return None if self.place is None else self.rows[self.place]

    @property
    def checkpoint(self) -> ListedCheckpoint | None:
        """The checkpoint under the cursor; of a heading the first below it."""
        row = self.row
        return row.members[0] if isinstance(row, Group) else row

    @property
    def marked_checkpoints(self) -> tuple[ListedCheckpoint, ...]:
        """Those that are marked, in sight or not."""
        return tuple(c for c in (self.listing.checkpoints if self.listing else ()) if c.path in self.marked)

    @property
    def targets(self) -> tuple[ListedCheckpoint, ...]:
        """What an action is done to: the marked ones, else what is under the cursor."""
        return self.marked_checkpoints or _of(self.row)

    @property
    def other(self) -> ListedCheckpoint | None:
        """What the one under the cursor is held against: the only other one that is marked."""
        here = self.checkpoint
        others = [c for c in self.marked_checkpoints if here is None or c.path != here.path]
        return others[0] if len(others) == 1 else None

    def mark(self) -> None:
        """Mark what is under the cursor, or unmark it; a heading stands for all below it."""
        self._turn(_of(self.row))

    def mark_all(self) -> None:
        """Mark all that passes the filter, or unmark it."""
        self._turn(self.in_sight)

    def _turn(self, checkpoints: Sequence[ListedCheckpoint]) -> None:
        paths = frozenset(c.path for c in checkpoints)
        self.marked = self.marked - paths if paths <= self.marked else self.marked | paths

    def fold(self, now: float) -> None:
        """Fold the group under the cursor, or unfold it."""
        if isinstance(row := self.row, Group):
            self.arrange(replace(self.arrangement, folded=self.arrangement.folded ^ {row.id}), now)


def _of(row: Row | None) -> tuple[ListedCheckpoint, ...]:
    match row:
        case None:
            return ()
        case Group(members=members):
            return tuple(members)
        case checkpoint:
            return (checkpoint,)
