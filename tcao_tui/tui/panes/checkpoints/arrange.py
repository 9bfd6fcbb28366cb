"""What of a listing is in sight and in which order: filter, sort key, tree or flat. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from tcao_tui.domain.checkpoint_listing import CheckpointKind, ListedCheckpoint
from tcao_tui.domain.checkpoint_table import SORT_KEYS, CheckpointFilter, SortKey, filtered, ordered, tree
from tcao_tui.tui.ring import next_in

_KINDS: tuple[CheckpointKind, ...] = get_args(CheckpointKind)


@dataclass(frozen=True, slots=True)
class Group:
    """A run of ours, or a training run of the server, with those of its checkpoints that pass the filter."""

    id: str
    members: Sequence[ListedCheckpoint]
    is_open: bool


type Row = Group | ListedCheckpoint


def group_key(group_id: str) -> str:
    """What a cursor remembers of a heading; no path of a checkpoint looks like it."""
    return f"group {group_id}"


def row_key(row: Row) -> str:
    """What a cursor remembers of a row."""
    return group_key(row.id) if isinstance(row, Group) else row.path


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a person looks at the checkpoints.

    Attributes:
        wanted: Words that all have to be found; a kind, `pinned`, `ours` and `public` mean what they say.
        run_id: Only those of this run; empty for all.
        folded: Ids of the groups that show no members.
    """

    wanted: str = ""
    run_id: str = ""
    sorted_by: SortKey = "age"
    reverse: bool = False
    is_tree: bool = True
    folded: frozenset[str] = frozenset()

    @property
    def is_filtered(self) -> bool:
        """Whether anything may be hidden."""
        return bool(self.wanted or self.run_id)

    def next_order(self) -> Arrangement:
        """Sorted by the next key, its usual way around."""
        return replace(self, sorted_by=next_in(SORT_KEYS, self.sorted_by), reverse=False)

    def in_sight(self, checkpoints: Sequence[ListedCheckpoint], now: float) -> list[ListedCheckpoint]:
        """Those that pass the filter, in order."""
        found: Sequence[ListedCheckpoint] = checkpoints
        if self.run_id:
            found = [c for c in found if c.own is not None and c.own.run_id == self.run_id]
        for word in self.wanted.split():
            if word == "public":
                found = [c for c in found if c.server.public]
            else:
                found = filtered(found, _filter_of(word), now=now)
        return ordered(found, self.sorted_by, reverse=self.reverse)

    def rows(self, in_sight: Sequence[ListedCheckpoint]) -> list[Row]:
        """Lines of the table: checkpoints, in a tree below a line for each group."""
        if not self.is_tree:
            return [*in_sight]
        rows: list[Row] = []
        for group_id, members in tree(in_sight).items():
            group = Group(group_id, members, group_id not in self.folded)
            rows += [group, *(members if group.is_open else ())]
        return rows


def _filter_of(word: str) -> CheckpointFilter:
    match word.casefold():
        case "pinned":
            return CheckpointFilter(pinned_only=True)
        case "ours":
            return CheckpointFilter(ours_only=True)
        case kind if kind in _KINDS:
            return CheckpointFilter(kind=frozenset({kind}))
        case text:
            return CheckpointFilter(text=text)
