"""Filters, orders and groups of listed checkpoints, for the browser and `tcao ckpt ls`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tcao_tui.domain.checkpoint_listing import CheckpointKind, ListedCheckpoint

SortKey = Literal["age", "run", "step", "size", "expires", "score", "cost"]
SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)


@dataclass(frozen=True, slots=True)
class CheckpointFilter:
    """What is shown; an empty field lets everything pass.

    Attributes:
        run: Part of a run's id or name, or of the server's training run.
        kind: Kinds that are shown.
        model: Part of the base model's name.
        text: Part of path, label, run, model or metadata.
        older_than_seconds: Only what was saved at least so long ago; what has no date does not pass.
    """

    run: str = ""
    kind: frozenset[CheckpointKind] = frozenset()
    model: str = ""
    text: str = ""
    older_than_seconds: float | None = None
    pinned_only: bool = False
    ours_only: bool = False

    def passes(self, checkpoint: ListedCheckpoint, now: float) -> bool:
        """Whether one checkpoint is shown at Unix time `now`."""
        server, own = checkpoint.server, checkpoint.own
        if self.kind and server.kind not in self.kind:
            return False
        if (self.pinned_only and not checkpoint.note.pinned) or (self.ours_only and own is None):
            return False
        if self.older_than_seconds is not None and (
            server.created_at is None or now - server.created_at < self.older_than_seconds
        ):
            return False
        names = (own.run_id, own.run_name, server.training_run) if own else (server.training_run,)
        if self.run and not _among(self.run, names):
            return False
        if self.model and not _among(self.model, (checkpoint.base_model or "",)):
            return False
        everything = (
            server.path,
            checkpoint.note.label,
            checkpoint.base_model or "",
            *names,
            *server.metadata.values(),
        )
        return not self.text or _among(self.text, everything)


def filtered(
    checkpoints: Iterable[ListedCheckpoint], wanted: CheckpointFilter, *, now: float
) -> list[ListedCheckpoint]:
    """Those that pass, in their order."""
    return [checkpoint for checkpoint in checkpoints if wanted.passes(checkpoint, now)]


def ordered(
    checkpoints: Sequence[ListedCheckpoint], key: SortKey = "age", *, reverse: bool = False
) -> list[ListedCheckpoint]:
    """By what a person sorts by: newest, furthest, largest, first to expire and best first.

    What has no such value comes last either way; among equals the newest is first.
    """
    by_age = sorted(checkpoints, key=lambda c: -(c.server.created_at or 0.0))
    valued = [(value, c) for c in by_age if (value := _value(c, key)) is not None]
    rest = [c for c in by_age if _value(c, key) is None]
    valued.sort(key=lambda pair: pair[0], reverse=reverse)
    return [c for _, c in valued] + rest


def tree(checkpoints: Sequence[ListedCheckpoint]) -> Mapping[str, Sequence[ListedCheckpoint]]:
    """Checkpoints by `group`, groups and members in the order given."""
    groups: dict[str, list[ListedCheckpoint]] = {}
    for checkpoint in checkpoints:
        groups.setdefault(checkpoint.group, []).append(checkpoint)
    return groups


def _among(part: str, texts: Iterable[str]) -> bool:
    wanted = part.casefold()
    return any(wanted in text.casefold() for text in texts)


def _value(checkpoint: ListedCheckpoint, key: SortKey) -> tuple[float | str, ...] | None:
    """What is compared, smallest first; None when it is not known."""
    server, own = checkpoint.server, checkpoint.own
    match key:
        case "age":
            return None if server.created_at is None else (-server.created_at,)
        case "run":
            return (own.run_name.casefold(), own.run_id, -own.step) if own else None
        case "step":
            return (-own.step,) if own else None
        case "size":
            return None if server.size_bytes is None else (-server.size_bytes,)
        case "expires":
            return None if server.expires_at is None else (server.expires_at,)
        case "cost":
            cost = checkpoint.storage_usd_per_month
            return None if cost is None else (-cost,)
        case "score":
            score = checkpoint.score(3) or checkpoint.score(2) or checkpoint.score(1)
            return None if score is None else (-score.layer, score.value if score.lower_is_better else -score.value)
