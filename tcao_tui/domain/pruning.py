"""Which checkpoints are not worth their storage: a policy and what it comes to, shown before anything is deleted.

Pure. What is deleted is bound to what was shown by the digest of its paths.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.domain.checkpoint_table import tree


@dataclass(frozen=True, slots=True)
class PrunePolicy:
    """What is kept of each run; the rest of it is deleted.

    Attributes:
        keep_last: The furthest steps of each run.
        best_by: Name of the score whose best step is kept too, such as `val_mean_nll`; empty: the best of each layer.
        foreign: Also prune checkpoints that no run of this store saved, by age in place of steps.
    """

    keep_last: int = 2
    best_by: str = ""
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a policy comes to.

    Attributes:
        delete: What would be deleted.
        kept: The others that were looked at, each with the reason.
    """

    delete: tuple[ListedCheckpoint, ...]
    kept: tuple[tuple[ListedCheckpoint, str], ...]

    @property
    def digest(self) -> str:
        """Names exactly what would be deleted: 8 hex digits of the SHA-256 of its sorted paths."""
        return hashlib.sha256("\n".join(sorted(c.path for c in self.delete)).encode()).hexdigest()[:8]


def prune(checkpoints: Sequence[ListedCheckpoint], policy: PrunePolicy) -> Pruning:
    """Judge each checkpoint; a complete listing is wanted, since what is not listed cannot be kept for."""
    delete: list[ListedCheckpoint] = []
    kept: list[tuple[ListedCheckpoint, str]] = []
    for members in tree(checkpoints).values():
        reasons = _reasons(members, policy)
        for checkpoint in members:
            if reason := reasons.get(checkpoint.path):
                kept.append((checkpoint, reason))
            else:
                delete.append(checkpoint)
    return Pruning(tuple(delete), tuple(kept))


def _reasons(members: Sequence[ListedCheckpoint], policy: PrunePolicy) -> dict[str, str]:
    """Why members of one group are kept, by path."""
    reasons: dict[str, str] = {}

    def keep(checkpoint: ListedCheckpoint, reason: str) -> None:
        reasons.setdefault(checkpoint.path, reason)

    for checkpoint in members:
        own = checkpoint.own
        if checkpoint.note.pinned:
            keep(checkpoint, "pinned")
        elif own is None and not policy.foreign:
            keep(checkpoint, "not of a run of ours")
        elif checkpoint.server.public:
            keep(checkpoint, "public")
        elif own is not None and own.reason in ("final", "stage"):
            keep(checkpoint, "final" if own.reason == "final" else "result of a stage")
        elif own is not None and own.is_active and checkpoint.path in own.resume_points:
            keep(checkpoint, f"resume point of a run that is {own.status}")
    for checkpoint in _of_steps(members, _last_steps(members, policy.keep_last)):
        keep(checkpoint, f"among the last {policy.keep_last}")
    for name, step in _best_steps(members, policy.best_by).items():
        for checkpoint in _of_steps(members, {step}):
            keep(checkpoint, f"best by {name}")
    return reasons


def _place(checkpoint: ListedCheckpoint) -> float:
    return float(checkpoint.own.step) if checkpoint.own else checkpoint.server.created_at or 0.0


def _last_steps(members: Sequence[ListedCheckpoint], count: int) -> set[float]:
    return set(sorted({_place(c) for c in members}, reverse=True)[:count])


def _of_steps(members: Sequence[ListedCheckpoint], steps: set[float]) -> list[ListedCheckpoint]:
    return [c for c in members if _place(c) in steps]


def _best_steps(members: Sequence[ListedCheckpoint], best_by: str) -> dict[str, float]:
    """The step with the best value of each score that counts, the later one among equals."""
    best: dict[str, tuple[float, float]] = {}
    for checkpoint in members:
        for score in checkpoint.own.scores if checkpoint.own else ():
            if (best_by and score.name != best_by) or not math.isfinite(score.value):
                continue
            rank = (score.value if score.lower_is_better else -score.value, -_place(checkpoint))
            best[score.name] = min(best.get(score.name, rank), rank)
    return {name: -place for name, (_, place) in best.items()}
