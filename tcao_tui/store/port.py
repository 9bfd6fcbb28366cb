"""The contract of a run store.

- One writer per run: a `RunWriter` belongs to one fence (epoch) of the run's lease, and a commit under an older
  fence raises `Fenced` and changes nothing.
- A commit is one transaction: all of its events, rows, ledger entries and handled requests, and the run's summary
  row, or none of them. What was committed survives the death of any process.
- Readers poll with a `Cursor`, bounded by count; they see commits whole and in order, and never write but for
  `create_run`, `approve` and `post_control`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tcao_tui.domain.run_view import LeaseState, RunSummary
from tcao_tui.errors import TcaoError

if TYPE_CHECKING:  # the run list is shown before pydantic has been imported
    from tcao_tui.domain.events import MetricRow, RunEvent, Spend, StoredEvent, Verb
    from tcao_tui.store.checkpoint_notes import CheckpointNotes
    from tcao_tui.store.evaluations import EvaluationStore
    from tcao_tui.store.interviews import InterviewStore


PAST_EVERY_ROW = 2**62
"""A place in a table for a reader that wants nothing of it."""


class Fenced(TcaoError):
    """Another worker took the run: this one must write nothing more and exit."""

    title = "Superseded"


class StoreUnwritable(TcaoError):
    """The disk is full or refuses: the commit left no trace, and may be tried again once that is mended."""

    title = "Store cannot be written"


class StoreDamaged(TcaoError):
    """The database is not whole, or not one that this version reads."""

    title = "Store cannot be read"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has read, exclusive, in each of the store's tables."""

    event: int = 0
    metric: int = 0
    spend: int = 0


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """What lies past a cursor; `more` says that the bound cut it.

    Fold the events first: a metric row is never here before an event that was committed ahead of it.
    """

    events: Sequence[StoredEvent]
    metrics: Sequence[MetricRow]
    spends: Sequence[Spend]
    cursor: Cursor
    more: bool


@dataclass(frozen=True, slots=True)
class NewRun:
    """Identity of a run to create; `created_at` is Unix seconds."""

    run_id: str
    name: str
    method: str
    base_model: str
    backend: str
    total_steps: int
    created_at: float


@dataclass(frozen=True, slots=True)
class Approval:
    """Consent to spend: `approval_hash` binds it to one plan at one price list.

    Attributes:
        how: "typed" by a person, "hash" on the command line, or "auto" where nothing can cost anything.
        quote: The prices as JSON.
    """

    approval_hash: str
    how: str
    by: str
    at: float
    quote: str


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """Something a person asked a run to do; `body` is JSON, for verbs that say what with it (`change`)."""

    request_id: int
    run_id: str
    verb: Verb
    by: str
    at: float
    body: str = ""


class RunWriter(Protocol):
    """The worker's hand on its run."""

    attempt: int
    fence: int

    def commit(
        self,
        *,
        events: Sequence[RunEvent] = (),
        metrics: Sequence[MetricRow] = (),
        spends: Sequence[Spend] = (),
    ) -> None:
        """Append all or nothing. Raises `Fenced` when a newer fence exists, `StoreUnwritable` when the disk is full."""
        ...

    def heartbeat(self) -> None:
        """Say that the worker lives. Raises `Fenced`."""
        ...


class RunStore(Protocol):
    """Everything that is known of all runs below one root."""

    def create_run(self, new: NewRun) -> None:
        """Make the run known. Raises `Refused` when the id is taken."""
        ...

    def runs(self, *, limit: int = 10_000) -> list[RunSummary]:
        """All runs, newest first, in one query; `status` is the recorded one, liveness is judged by services."""
        ...

    def run(self, run_id: str) -> RunSummary:
        """One run. Raises `UsageError` naming the nearest ids when there is none."""
        ...

    def read(self, run_id: str, cursor: Cursor, *, limit: int = 2_000, validations: bool = False) -> ReadBatch:
        """What lies past `cursor`, at most `limit` rows of each table, read in one snapshot.

        Args:
            run_id: The run.
            cursor: How far was read before.
            limit: Most rows of a table.
            validations: Of the metric rows, only those that trained nothing.
        """
        ...

    def end(self) -> Cursor:
        """Past everything that was committed to any run until now."""
        ...

    def approve(self, run_id: str, approval: Approval) -> None:
        """Record consent."""
        ...

    def approvals(self, run_id: str) -> list[Approval]:
        """Consent given for this run, oldest first."""
        ...

    def post_control(self, run_id: str, verb: Verb, *, by: str, at: float, body: str = "") -> int:
        """Ask the worker for something; `body` is JSON. Returns the request's id."""
        ...

    def pending_controls(self, run_id: str) -> list[ControlRequest]:
        """Requests that no `ControlHandled` event answers yet, oldest first."""
        ...

    def lease(self, run_id: str) -> LeaseState:
        """Who holds the run now: a probe of the kernel lock plus the recorded heartbeat."""
        ...

    def writer(self, run_id: str) -> RunWriter:
        """Open the next attempt: raises the fence, numbers the attempt. Only for the holder of the run's lock."""
        ...

    @property
    def interviews(self) -> InterviewStore:
        """The interviews beside the runs."""
        ...

    @property
    def evaluations(self) -> EvaluationStore:
        """The evaluations beside the runs."""
        ...

    @property
    def checkpoint_notes(self) -> CheckpointNotes:
        """What people noted on checkpoints."""
        ...

    def changes(self) -> Hashable:
        """A cheap value that differs once anything but a heartbeat was committed, by whomever, to any run."""
        ...

    def close(self) -> None:
        """Release the store's handles."""
        ...
