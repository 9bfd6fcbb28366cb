"""The run store in memory, with the contract of the real one, for tests and replay: nothing survives the process."""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

from tcao_tui.domain.events import ControlHandled, MetricRow, RunEvent, Spend, Verb
from tcao_tui.domain.run_summary import summary_after
from tcao_tui.domain.run_view import LeaseState, RunSummary
from tcao_tui.errors import Refused
from tcao_tui.store.checkpoint_notes import MemoryNotes
from tcao_tui.store.lease import process_identity
from tcao_tui.store.memory_evaluations import MemoryEvaluations
from tcao_tui.store.memory_interviews import MemoryInterviews
from tcao_tui.store.port import Approval, ControlRequest, Cursor, Fenced, NewRun, ReadBatch
from tcao_tui.store.sqlite import unknown_run
from tcao_tui.store.sqlite_rows import event_body, read_event
from tcao_tui.store.sqlite_writer import Clock
from tcao_tui.store.summary_rows import Row, is_kept, new_summary

_SEQ = itemgetter(0)


@dataclass(slots=True)
class _Lease:
    fence: int = 0
    attempt: int = 0
    pid: int | None = None
    host: str = ""
    beat_monotonic: float | None = None
    held: bool = False


@dataclass(slots=True)
class _Run:
    """Everything of one run; each entry is led by its place in its table."""

    summary: RunSummary
    events: list[Row] = field(default_factory=list[Row])
    metrics: list[tuple[int, MetricRow]] = field(default_factory=list[tuple[int, MetricRow]])
    spends: list[tuple[int, Spend]] = field(default_factory=list[tuple[int, Spend]])
    approvals: list[Approval] = field(default_factory=list[Approval])
    controls: dict[int, ControlRequest] = field(default_factory=dict[int, ControlRequest])
    lease: _Lease = field(default_factory=_Lease)

    def last_until(self, attempt: int, step: int, wanted: Collection[str]) -> dict[str, float]:
        resumes = [(event[1], json.loads(event[4])["step"]) for event in self.events if event[3] == "resumed"]
        found: dict[str, float] = {}
        for _, row in self.metrics:
            if row.attempt < attempt and row.step <= step and is_kept(row.attempt, row.step, resumes):
                found |= {key: value for key, value in row.values.items() if key in wanted}
        return found


class MemoryStore:
    """A `RunStore`; for one thread."""

    def __init__(self, *, clock: Clock = time.time, monotonic: Clock = time.monotonic) -> None:
        self.clock, self.monotonic = clock, monotonic
        self.interviews = MemoryInterviews()
        self.evaluations = MemoryEvaluations()
        self.checkpoint_notes = MemoryNotes()
        self._runs: dict[str, _Run] = {}
        self._seq = 0

    def next_seq(self) -> int:
        """A number greater than all before."""
        self._seq += 1
        return self._seq

    def create_run(self, new: NewRun) -> None:
        """Make the run known. Raises `Refused` when the id is taken."""
        if new.run_id in self._runs:
            raise Refused(f"there is a run {new.run_id} already", next_step=f"tcao show {new.run_id}")
        self._runs[new.run_id] = _Run(new_summary(new))
        self.next_seq()

    def runs(self, *, limit: int = 10_000) -> list[RunSummary]:
        """All runs, newest first."""
        newest_first = [run.summary for run in reversed(self._runs.values())]
        return sorted(newest_first, key=lambda s: s.created_at, reverse=True)[:limit]

    def run(self, run_id: str) -> RunSummary:
        """One run. Raises `UsageError` naming the nearest ids when there is none."""
        return self.of(run_id).summary

    def read(self, run_id: str, cursor: Cursor, *, limit: int = 2_000, validations: bool = False) -> ReadBatch:
        """What lies past `cursor`, at most `limit` rows of each table."""
        run = self.of(run_id)
        events = run.events[bisect_right(run.events, cursor.event, key=_SEQ) :]
        metrics = run.metrics[bisect_right(run.metrics, cursor.metric, key=_SEQ) :]
        metrics = [row for row in metrics if row[1].batch is None] if validations else metrics
        spends = run.spends[bisect_right(run.spends, cursor.spend, key=_SEQ) :]
        if len(events) > limit:
            metrics = [row for row in metrics if row[0] <= events[limit][5]]
        more = max(len(events), len(metrics), len(spends)) > limit
        events, metrics, spends = events[:limit], metrics[:limit], spends[:limit]
        return ReadBatch(
            events=[read_event(run_id, row) for row in events],
            metrics=[row for _, row in metrics],
            spends=[spend for _, spend in spends],
            cursor=Cursor(
                event=events[-1][0] if events else cursor.event,
                metric=metrics[-1][0] if metrics else cursor.metric,
                spend=spends[-1][0] if spends else cursor.spend,
            ),
            more=more,
        )

    def end(self) -> Cursor:
        """Past everything that was committed to any run until now."""
        return Cursor(self._seq, self._seq, self._seq)

    def approve(self, run_id: str, approval: Approval) -> None:
        """Record consent."""
        self.of(run_id).approvals.append(approval)
        self.next_seq()

    def approvals(self, run_id: str) -> list[Approval]:
        """Consent given for this run, oldest first."""
        return list(self.of(run_id).approvals)

    def post_control(self, run_id: str, verb: Verb, *, by: str, at: float, body: str = "") -> int:
        """Ask the worker for something; `body` is JSON. Returns the request's id."""
        run, number = self.of(run_id), self.next_seq()
        run.controls[number] = ControlRequest(number, run_id, verb, by, at, body)
        return number

    def pending_controls(self, run_id: str) -> list[ControlRequest]:
        """Requests that no `ControlHandled` event answers yet, oldest first."""
        return list(self.of(run_id).controls.values())

    def lease(self, run_id: str) -> LeaseState:
        """Who holds the run now, as `hold` says."""
        lease = self.of(run_id).lease
        age = None if lease.beat_monotonic is None else max(0.0, self.monotonic() - lease.beat_monotonic)
        return LeaseState(held=lease.held, heartbeat_age_seconds=age, pid=lease.pid, host=lease.host, fence=lease.fence)

    def hold(self, run_id: str, held: bool = True) -> None:
        """Say whether a worker holds the run's lock, which nobody can take in memory."""
        self.of(run_id).lease.held = held

    def writer(self, run_id: str) -> MemoryWriter:
        """Open the next attempt: raises the fence, numbers the attempt."""
        run, who = self.of(run_id), process_identity()
        fence, attempt = run.lease.fence + 1, max(run.lease.attempt, run.summary.attempt) + 1
        run.lease = _Lease(fence, attempt, who.pid, who.host, self.monotonic(), run.lease.held)
        return MemoryWriter(self, run_id, attempt=attempt, fence=fence)

    def changes(self) -> Hashable:
        """A cheap value that differs once anything but a heartbeat was committed to any run."""
        return self._seq

    def close(self) -> None:
        """Nothing is held."""

    def of(self, run_id: str) -> _Run:
        """One run. Raises `UsageError`."""
        if run_id not in self._runs:
            raise unknown_run(run_id, self._runs)
        return self._runs[run_id]


class MemoryWriter:
    """A `RunWriter`."""

    def __init__(self, store: MemoryStore, run_id: str, *, attempt: int, fence: int) -> None:
        self._store, self._run_id = store, run_id
        self.attempt, self.fence = attempt, fence

    def commit(
        self,
        *,
        events: Sequence[RunEvent] = (),
        metrics: Sequence[MetricRow] = (),
        spends: Sequence[Spend] = (),
    ) -> None:
        """Append all or nothing. Raises `Fenced`."""
        self._check_fence()
        store, run, at = self._store, self._store.of(self._run_id), self._store.clock()
        bodies = [event_body(event) for event in events]
        run.summary = summary_after(
            run.summary,
            attempt=self.attempt,
            at=at,
            events=events,
            metrics=metrics,
            spends=spends,
            last_until=partial(run.last_until, self.attempt),
        )
        before = run.metrics[-1][0] if run.metrics else 0
        for event, body in zip(events, bodies, strict=True):
            run.events.append((store.next_seq(), self.attempt, at, event.kind, body, before))
            if isinstance(event, ControlHandled):
                run.controls.pop(event.request_id, None)
        run.metrics += [(store.next_seq(), row) for row in metrics]
        run.spends += [(store.next_seq(), spend) for spend in spends]

    def heartbeat(self) -> None:
        """Say that the worker lives. Raises `Fenced`."""
        self._check_fence()
        self._store.of(self._run_id).lease.beat_monotonic = self._store.monotonic()

    def _check_fence(self) -> None:
        newest = self._store.of(self._run_id).lease.fence
        if newest != self.fence:
            raise Fenced(
                f"another worker took {self._run_id}: this one has fence {self.fence}, the newest is {newest}",
                where=f"attempt {self.attempt}",
                next_step=f"tcao watch {self._run_id}",
            )
