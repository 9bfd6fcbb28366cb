"""The bridge from what can be read to the screen: a timer asks, a thread reads, one message answers.

A busy screen asks later, so nothing piles up. Reading slows down while nothing changes and is cheap when a run is over.
Threads touch no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker, WorkerState, get_current_worker

from tcao_tui.domain.run_view import RunSummary, RunView
from tcao_tui.errors import TcaoError
from tcao_tui.tui.messages import LogChanged, RunChanged, RunsChanged, SourceFailed, SweepsChanged
from tcao_tui.tui.ports import RunsSource, SweepsPort, WatchedRun

if TYPE_CHECKING:
    from tcao_tui.domain.pipeline import StagePlan
    from tcao_tui.domain.sweep_table import FollowedSweep


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between polls: while things change, at most while a run is live, and when it is over."""

    fast_seconds: float = 0.4
    live_seconds: float = 1.0
    idle_seconds: float = 3.0


HEARTBEAT_QUIET_SECONDS = 5.0
"""A younger heartbeat is simply alive; only an older one is worth a number."""


def heartbeat_bucket(age_seconds: float | None) -> int | None:
    """Age in whole steps of three seconds once it is worth telling, else 0; None before the first."""
    if age_seconds is None:
        return None
    return 0 if age_seconds < HEARTBEAT_QUIET_SECONDS else int(age_seconds // 3) * 3


def fingerprint(view: RunView) -> Hashable:
    """What has to differ for a view to be worth drawing: everything but the passing of time."""
    return (
        view.status,
        view.phase,
        view.phase_detail,
        view.step,
        view.attempt,
        view.updated_at,
        view.tokens,
        view.cost_usd,
        view.pending_verb,
        view.superseded_rows,
        view.is_sampled,
        view.notes,
        view.events[-1].seq if view.events else 0,
        len(view.checkpoints),
        len(view.series),
        sum(len(s) for s in view.series.values()),
        heartbeat_bucket(view.heartbeat_age_seconds) if view.status.is_live else None,
        int(view.elapsed_seconds // 20) if view.status.is_live else None,
    )


class Feed(Widget):
    """Asks, waits for the answer, and asks again after a while; subclasses read in a thread."""

    DEFAULT_CSS = "Feed { display: none; }"

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace
        self._timer: Timer | None = None
        self._reading = False
        self._waits = pace.fast_seconds

    def on_mount(self) -> None:
        """Read for the first time as soon as the screen is painted."""
        self.call_after_refresh(self.ask)

    def on_unmount(self) -> None:
        """Let the files go, unless a thread still reads; it lets go itself then."""
        if not self._reading:
            self.close()

    def ask(self) -> None:
        """Read now, unless a read is under way."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._reading or not self.is_attached:
            return
        self._reading = True
        self.run_worker(self._read_in_thread, group="feed", thread=True, exit_on_error=False)

    def _read_in_thread(self) -> list[Message]:
        worker = get_current_worker()
        found = self.read()
        if worker.is_cancelled:
            self.close()
            return []
        return found

    def read(self) -> list[Message]:
        """Read what is new, in a thread; the messages to post."""
        raise NotImplementedError

    def close(self) -> None:
        """Release what was opened."""

    def next_wait(self, changed: bool) -> float:
        """Seconds until the next read."""
        raise NotImplementedError

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Post what was read and plan the next read."""
        event.stop()
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            return
        self._reading = False
        if not self.is_attached:
            return
        changed = False
        if event.state is WorkerState.SUCCESS:
            for message in event.worker.result or ():
                changed = True
                self.post_message(message)
        elif event.state is WorkerState.ERROR:
            self.post_message(_failure(event.worker.error))
        self._waits = self.next_wait(changed)
        self._timer = self.set_timer(self._waits, self.ask)


def _failure(error: BaseException | None) -> SourceFailed:
    if isinstance(error, TcaoError):
        return SourceFailed(str(error), error.next_step)
    return SourceFailed(f"cannot read: {error}")


class RunFeed(Feed):
    """Watches one run."""

    def __init__(self, open_run: Callable[[], WatchedRun], pace: Pace = Pace()) -> None:
        super().__init__(pace)
        self._open = open_run
        self._run: WatchedRun | None = None
        self._seen: Hashable = None
        self._log = ""
        self._view: RunView | None = None
        self._stages: Sequence[StagePlan] | None = None
        self.wants_log = False

    def read(self) -> list[Message]:
        """The view when it differs, and the log when it is looked at."""
        run = self._run = self._run or self._open()
        view = self._view = run.source.poll()
        found: list[Message] = []
        seen = fingerprint(view)
        if seen != self._seen:
            self._seen = seen
            # The rail of a pipeline and the settings of a run that may be changed are told from its plan.
            if self._stages is None and (view.marks.stages or view.status.is_live):
                self._stages = run.read_stages()
            found.append(RunChanged(view, self._stages or ()))
        if self.wants_log and (text := run.read_log()) != self._log:
            self._log = text
            found.append(LogChanged(text))
        return found

    def next_wait(self, changed: bool) -> float:
        """Fast while things change or there is more to read, slow when the run is over."""
        pace = self._pace
        if self._run is not None and not self._run.source.caught_up:
            return pace.fast_seconds / 4
        if changed:
            return pace.fast_seconds
        live = self._view is not None and self._view.status.is_live
        return min(self._waits * 1.6, pace.live_seconds if live else pace.idle_seconds)

    def close(self) -> None:
        """Release the run."""
        if self._run is not None:
            self._run.source.close()
            self._run = None


class SweepsFeed(Feed):
    """Watches the sweeps."""

    def __init__(self, open_sweeps: Callable[[], SweepsPort], pace: Pace = Pace()) -> None:
        super().__init__(pace)
        self._open = open_sweeps
        self._source: SweepsPort | None = None
        self._seen: Sequence[FollowedSweep] | None = None

    def read(self) -> list[Message]:
        """All sweeps when any differs."""
        source = self._source = self._source or self._open()
        found = source.poll()
        if found == self._seen:
            return []
        self._seen = found
        return [SweepsChanged(found)]

    def next_wait(self, changed: bool) -> float:
        """Fast while things change, slow when every sweep is over."""
        pace = self._pace
        live = any(sweep.table is not None and not sweep.table.is_over for sweep in self._seen or ())
        if changed:
            return pace.fast_seconds
        return min(self._waits * 1.6, pace.live_seconds if live else pace.idle_seconds)

    def close(self) -> None:
        """Release the sweeps."""
        if self._source is not None:
            self._source.close()
            self._source = None


class RunsFeed(Feed):
    """Watches the run list: asks for the store's change marker, and for the rows only when it differs.

    A worker that dies changes nothing in the store, so rows that are live are judged again now and then.
    """

    def __init__(self, open_runs: Callable[[], RunsSource], pace: Pace = Pace(1.0, 1.0, 1.0)) -> None:
        super().__init__(pace)
        self._open = open_runs
        self._runs: RunsSource | None = None
        self._marker: Hashable = None
        self._rows: list[RunSummary] | None = None
        self._since_judged = 0

    def read(self) -> list[Message]:
        """All rows when any differs."""
        runs = self._runs = self._runs or self._open()
        marker = runs.changes()
        live = any(row.status.is_live for row in self._rows or ())
        self._since_judged += 1
        if self._rows is not None and marker == self._marker and not (live and self._since_judged >= 3):
            return []
        self._marker, self._since_judged = marker, 0
        rows = runs.rows()
        if rows == self._rows:
            return []
        self._rows = rows
        return [RunsChanged(rows)]

    def next_wait(self, changed: bool) -> float:
        """Always the same: the marker costs next to nothing."""
        return self._pace.fast_seconds

    def close(self) -> None:
        """Release the store."""
        if self._runs is not None:
            self._runs.close()
            self._runs = None
