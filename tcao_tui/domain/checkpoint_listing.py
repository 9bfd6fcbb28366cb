"""Checkpoints of a server as a person sees them: what the server says of each, joined with what our runs know of it.

What nobody knows is None, never 0. Which run saved what is folded in `checkpoint_places`; filters, order and tree are
`checkpoint_table`; what an action would do is `checkpoint_actions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tcao_tui.domain.checkpoints import CheckpointReason
from tcao_tui.domain.run_view import RunStatus

CheckpointKind = Literal["training", "sampler", "external"]
"""Weights with optimiser to go on from, weights to sample from, and weights made to be downloaded."""

_PATH = re.compile(r"^tinker://(?P<training_run>[^/]+)/(?P<segment>[^/]+)/(?P<name>[^/]+)$")


class ServerCheckpoint(BaseModel):
    """A checkpoint as the server lists it; its `tinker://` path is its identity.

    Attributes:
        training_run: The server's own id of the LoRA that was saved.
        created_at: Unix seconds.
        expires_at: Unix seconds; None when it is kept for good, or where the server tells no expiry.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    training_run: str
    name: str
    kind: CheckpointKind
    created_at: float | None = None
    size_bytes: int | None = None
    expires_at: float | None = None
    public: bool | None = None
    metadata: dict[str, str] = Field(default={})


class TrainingRun(BaseModel):
    """One LoRA as the server lists it; `corrupted` says that its training failed there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    base_model: str | None = None
    lora_rank: int | None = None
    corrupted: bool = False
    metadata: dict[str, str] = Field(default={})


@dataclass(frozen=True, slots=True)
class LayerScore:
    """A number that these weights were given: layer 1 held-out metrics, 2 public benchmarks, 3 the plan's own eval."""

    layer: Literal[1, 2, 3]
    name: str
    value: float
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class OwnCheckpoint:
    """What a run of ours knows of a checkpoint.

    Attributes:
        status: The run's, with liveness judged.
        step: Updates applied to these weights, over all stages.
        reason: Why it was saved; None when only the server knows of it.
        stage: Name of the pipeline's stage; empty for a run without stages.
        resumed_from: Checkpoint that the attempt went on from; empty for a start from nothing.
        scores: Of these weights, by layer.
        superseded: A later attempt went back behind it, so the run's final weights do not come from it.
        resume_points: Paths that its run could go on from, the one that it would take first; of all its checkpoints.
    """

    run_id: str
    run_name: str
    status: RunStatus
    base_model: str
    attempt: int
    step: int
    reason: CheckpointReason | None = None
    stage: str = ""
    resumed_from: str = ""
    scores: tuple[LayerScore, ...] = ()
    superseded: bool = False
    resume_points: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether the run is being carried out, or may be gone on with."""
        return self.status.is_live or (self.status.is_resumable and self.status is not RunStatus.CREATED)

    @property
    def is_worked_on(self) -> bool:
        """Whether a worker is there and busy, which looks after its checkpoints itself."""
        return self.status.is_live and self.status is not RunStatus.PAUSED


@dataclass(frozen=True, slots=True)
class SetExpiry:
    """When a checkpoint expires, as it was last set from here; both in Unix seconds.

    Attributes:
        at: When it was set.
        expires_at: None for what is kept for good, and for what was deleted.
    """

    at: float
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class CheckpointNote:
    """What is noted of a checkpoint beside its run's events, kept in our store by its path.

    Attributes:
        label: A person's name for it.
        pinned: It is never thinned out or pruned.
        expiry: Set from here by a person or a guard; None when it never was.
    """

    label: str = ""
    pinned: bool = False
    expiry: SetExpiry | None = None


NO_NOTE = CheckpointNote()


@dataclass(frozen=True, slots=True)
class ListedCheckpoint:
    """One row of the browser.

    Attributes:
        training_run: None while the server has not told, or does not tell.
        own: None for a checkpoint that no run of this store saved.
        storage_usd_per_month: At its size and the server's price; None when either is not known.
    """

    server: ServerCheckpoint
    training_run: TrainingRun | None = None
    own: OwnCheckpoint | None = None
    note: CheckpointNote = NO_NOTE
    storage_usd_per_month: float | None = None

    @property
    def path(self) -> str:
        """Its `tinker://` path."""
        return self.server.path

    @property
    def base_model(self) -> str | None:
        """As the server names it, or the run."""
        told = self.training_run.base_model if self.training_run else None
        return told or (self.own.base_model if self.own else None)

    @property
    def lora_rank(self) -> int | None:
        """Of the LoRA; None when not known."""
        return self.training_run.lora_rank if self.training_run else None

    @property
    def is_resume_point(self) -> bool:
        """Whether a run that may go on would go on from here."""
        return self.own is not None and self.own.is_active and self.own.resume_points[:1] == (self.path,)

    @property
    def group(self) -> str:
        """What it is filed under in a tree: our run's id, else the server's training run."""
        return self.own.run_id if self.own else self.server.training_run

    def score(self, layer: Literal[1, 2, 3]) -> LayerScore | None:
        """Its first number of a layer."""
        return next((s for s in (self.own.scores if self.own else ()) if s.layer == layer), None)


@dataclass(frozen=True, slots=True)
class Offers:
    """What a server lacks, by action, with the reason for people; what is not named is offered or was never tried."""

    missing: Mapping[str, str]

    def why_not(self, action: str) -> str:
        """Why an action is not offered, such as "this server has no TTL"; empty when it is."""
        return self.missing.get(action, "")


EVERYTHING = Offers({})


@dataclass(frozen=True, slots=True)
class CheckpointListing:
    """What is known of a server's checkpoints by now, in the order in which the server lists them.

    Attributes:
        total: How many there are, as the server says; None when it does not.
        complete: The listing has ended; otherwise more pages follow.
        taken_at: Unix seconds.
        notes: What a person must know to read it, such as that this server lists by training run only.
    """

    checkpoints: tuple[ListedCheckpoint, ...]
    total: int | None
    complete: bool
    taken_at: float
    offers: Offers = EVERYTHING
    notes: tuple[str, ...] = ()

    def at(self, path: str) -> ListedCheckpoint | None:
        """The checkpoint of a path, if it is listed."""
        return next((c for c in self.checkpoints if c.path == path), None)


def training_run_of(path: str) -> str:
    """The server's training run of a `tinker://` path; empty for something else."""
    match = _PATH.match(path)
    return match["training_run"] if match else ""


def storage_usd_per_month(size_bytes: int | None, usd_per_gb_month: float | None) -> float | None:
    """What keeping so many bytes costs, USD per month at a price per GB (10^9 bytes); None when either is unknown."""
    return None if size_bytes is None or usd_per_gb_month is None else size_bytes / 1e9 * usd_per_gb_month


def total_storage(checkpoints: Sequence[ListedCheckpoint]) -> tuple[int, float | None, int]:
    """Bytes that are known of, their cost in USD per month (None when no price is known), and how many have no size."""
    sizes = [c.server.size_bytes for c in checkpoints]
    costs = [c.storage_usd_per_month for c in checkpoints if c.storage_usd_per_month is not None]
    known = [size for size in sizes if size is not None]
    return sum(known), sum(costs) if costs or not checkpoints else None, len(sizes) - len(known)
