"""What a checkpoint was made of: what the server knows of it, where it comes from, and the settings of its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tcao_tui.clients.checkpoint_calls import DescribeCheckpoint, WeightsInfo
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.domain.checkpoint_listing import CheckpointListing, ListedCheckpoint
from tcao_tui.services.checkpoints import Asks
from tcao_tui.services.compare import settings_of
from tcao_tui.services.plans import plan_of_run

_MOST_ANCESTORS = 16


@dataclass(frozen=True, slots=True)
class CheckpointDetails:
    """One checkpoint in full.

    Attributes:
        weights: Every field is None where the server describes none.
        ancestry: Where the weights come from, a line each, newest first.
        settings: The run's plan by key path, and where in the run it was saved; what the server tells for others.
    """

    checkpoint: ListedCheckpoint
    weights: WeightsInfo
    ancestry: tuple[str, ...]
    settings: Mapping[str, Any]


def details(
    helper: Asks, runs_root: Path, checkpoint: ListedCheckpoint, listing: CheckpointListing
) -> CheckpointDetails:
    """Ask the server about the weights, and the run's directory for the rest.

    Raises:
        BackendError: It is gone, or the server does not answer.
    """
    try:
        weights = helper.call(DescribeCheckpoint(path=checkpoint.path))
    except Unsupported:
        weights = WeightsInfo()
    ancestry = ancestry_of(runs_root, checkpoint, listing)
    return CheckpointDetails(checkpoint, weights, ancestry, settings_at(runs_root, checkpoint))


def settings_at(runs_root: Path, checkpoint: ListedCheckpoint) -> dict[str, Any]:
    """What made these weights, by key path, for a comparison with others; unknown values are left out."""
    own = checkpoint.own
    plan = plan_of_run(runs_root, own.run_id) if own else None
    known: dict[str, Any] = {
        "training.base_model": checkpoint.base_model,
        "training.lora_rank": checkpoint.lora_rank,
        **(settings_of(plan) if plan else {}),
        **({"checkpoint.step": own.step, "checkpoint.attempt": own.attempt} if own else {}),
        "checkpoint.stage": own.stage if own and own.stage else None,
        **({} if own else {f"metadata.{key}": value for key, value in checkpoint.server.metadata.items()}),
    }
    return {path: value for path, value in known.items() if value is not None}


def ancestry_of(runs_root: Path, checkpoint: ListedCheckpoint, listing: CheckpointListing) -> tuple[str, ...]:
    """Where weights come from: attempt and stage, the checkpoint it went on from, the one that the run started from."""
    lines: list[str] = []
    at: ListedCheckpoint | None = checkpoint
    while at is not None and len(lines) < _MOST_ANCESTORS:
        own = at.own
        if own is None:
            return (*lines, f"saved by training run {at.server.training_run} of {at.base_model or 'an unknown model'}")
        stage = f", stage {own.stage}" if own.stage else ""
        lines.append(f"step {own.step} of {own.run_name} ({own.run_id}), attempt {own.attempt}{stage}")
        if own.resumed_from:
            lines.append(f"attempt {own.attempt} went on from {own.resumed_from}")
        plan = plan_of_run(runs_root, own.run_id)
        start = plan.start_from if plan else None
        lines.append(f"the run started from {start or own.base_model}")
        at = listing.at(start) if start else None
    return tuple(lines)
