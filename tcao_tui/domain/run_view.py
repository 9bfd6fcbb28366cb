"""What front ends read: one frozen snapshot of a run, and the one-line summary of the run list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from tcao_tui.domain.marks import NO_MARKS, Marks

if TYPE_CHECKING:  # the console paints before pydantic has been imported
    from tcao_tui.domain.checkpoints import CheckpointRecord
    from tcao_tui.domain.events import DataLoaded, Finished, SamplesTaken, Scored, StoredEvent, Waiting
    from tcao_tui.domain.series import Series

HEARTBEAT_SECONDS = 2.0
"""How often a worker says that it lives."""

SILENCE_LIMIT_SECONDS = 12.0
"""Silence after which a run is shown as lost; a loss has to be visible within 15 s."""


class RunStatus(StrEnum):
    """State of a run as a person sees it."""

    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    BUDGET = "budget"
    LOST = "lost"

    @property
    def is_live(self) -> bool:
        """Whether a worker has the run."""
        return self in _LIVE

    @property
    def is_resumable(self) -> bool:
        """Whether `tcao resume` may start another attempt."""
        return self in _RESUMABLE


_LIVE = frozenset({RunStatus.STARTING, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED, RunStatus.STOPPING})
_RESUMABLE = frozenset(
    {RunStatus.STOPPED, RunStatus.FAILED, RunStatus.INTERRUPTED, RunStatus.LOST, RunStatus.CREATED, RunStatus.BUDGET}
)


@dataclass(frozen=True, slots=True)
class LeaseState:
    """Who holds a run: `held` is the kernel's word, the heartbeat is the worker's.

    Attributes:
        heartbeat_age_seconds: Time since the last heartbeat on a clock that does not jump; None before the first.
        fence: Epoch number of the newest lease; 0 when no worker ever took the run.
    """

    held: bool
    heartbeat_age_seconds: float | None
    pid: int | None
    host: str
    fence: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A row of the run list. Times are Unix seconds; `cost_usd` None is unknown, never 0.

    Attributes:
        recorded_status: Last status that the run's own events say.
        status: The same with liveness taken into account.
        numbers: Last values of the metrics that tell how a training goes (`headlines`), of the present stage only.
    """

    run_id: str
    name: str
    method: str
    base_model: str
    backend: str
    recorded_status: RunStatus
    status: RunStatus
    step: int
    total_steps: int
    train_loss: float | None
    val_loss: float | None
    tokens: int
    cost_usd: float | None
    attempt: int
    created_at: float
    updated_at: float
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything a screen or a command shows of one run.

    Attributes:
        series: Metric key to its values; live objects, read only, one value per step.
        marks: Stages, alerts, the pilot, changed settings and rollouts.
        eta_seconds: Time to the last step at the pace of late; None when unknown.
        unknown_kinds: Event kinds this version does not understand, with their counts.
        superseded_rows: Rows of earlier attempts that a resume trained anew.
        is_sampled: The series hold a sample of the rows while the rest is still being read.
    """

    run_id: str
    name: str
    method: str
    base_model: str
    backend: str
    status: RunStatus
    phase: str
    phase_detail: str
    step: int
    total_steps: int
    attempt: int
    worker_pid: int | None
    heartbeat_age_seconds: float | None
    created_at: float
    started_at: float | None
    updated_at: float
    elapsed_seconds: float
    eta_seconds: float | None
    tokens: int
    cost_usd: float | None
    waiting: Waiting | None
    finished: Finished | None
    data: DataLoaded | None
    checkpoints: tuple[CheckpointRecord, ...]
    samples: tuple[SamplesTaken, ...]
    scores: tuple[Scored, ...]
    events: tuple[StoredEvent, ...]
    series: Mapping[str, Series]
    marks: Marks = NO_MARKS
    pending_verb: str = ""
    superseded_rows: int = 0
    unknown_kinds: Mapping[str, int] = field(default_factory=dict[str, int])
    is_sampled: bool = False
    notes: tuple[str, ...] = ()


class ViewSource(Protocol):
    """Something that can be watched: a run of our store, or a directory that the cookbook writes."""

    @property
    def caught_up(self) -> bool:
        """Whether the last poll reached the end of what is written."""
        ...

    def poll(self) -> RunView:
        """Read what is new, bounded by count and time, and return the view; blocks on disk, never on the network."""
        ...

    def close(self) -> None:
        """Release files and processes."""
        ...
