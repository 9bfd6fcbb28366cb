"""A run directory that the tinker-cookbook writes, watched like a run of ours; read only.

The cookbook keeps no lease, so nothing here says whether its process lives: what is said is when the last row came
and whether a final checkpoint is recorded. Its step n is the n-th batch counted from 0, and the charts keep it.
`metrics.jsonl.pre_resume_*` are copies of what a resume dropped; they are not read.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tcao_tui import paths
from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.store.cookbook_files import CheckpointsFile, ConfigFile, LogFile
from tcao_tui.store.cookbook_metrics import MetricsFile

_PACE_ROWS = 50
_PROGRESS_KEYS = ("progress/done_frac", "progress")


class CookbookSource:
    """`ViewSource` of a cookbook run directory.

    Args:
        directory: The run's `log_path`.
        cache_dir: Where column caches of long runs are kept; the user's cache directory when None.
        clock: Unix time, seconds.
        metrics: Reads `metrics.jsonl`; made from the directory when None.
    """

    def __init__(
        self,
        directory: Path,
        *,
        cache_dir: Path | None = None,
        clock: Callable[[], float] = time.time,
        metrics: MetricsFile | None = None,
    ) -> None:
        self.directory = directory
        self._clock = clock
        self._metrics = metrics or MetricsFile(directory / "metrics.jsonl", cache_dir or paths.cache_dir())
        self._config = ConfigFile(directory / "config.json")
        self._checkpoints = CheckpointsFile(directory / "checkpoints.jsonl")
        self._log = LogFile(directory / "logs.log")
        self._pace: deque[tuple[int, float]] = deque(maxlen=_PACE_ROWS)
        self._view: RunView | None = None
        self._polls = 0
        self._steps_at_final: int | None = None

    @property
    def caught_up(self) -> bool:
        """Whether the last poll reached the end of what is written."""
        return self._metrics.caught_up and self._polls > 1

    def poll(self) -> RunView:
        """Read what is new, for a bounded time; the very same view when nothing changed."""
        changed = self._metrics.poll()
        changed = self._config.poll() or changed
        if self._polls:  # the first view shows the metrics as soon as can be; the rest follows at once
            changed = self._checkpoints.poll() or changed
            changed = self._log.poll() or changed
        self._polls += 1
        if changed or self._view is None or self._polls == 2:
            self._note_pace()
            self._view = self._make_view()
        return self._view

    def close(self) -> None:
        """Release files and the helper process."""
        self._metrics.close()
        self._checkpoints.close()

    @property
    def _step(self) -> int:
        return self._metrics.fold.counts.last_step + 1

    def _note_pace(self) -> None:
        if self._pace and self._pace[-1][0] > self._step:
            self._pace.clear()
        if self._metrics.caught_up and (not self._pace or self._pace[-1][0] < self._step):
            self._pace.append((self._step, self._clock()))

    def _status(self) -> RunStatus:
        if not self._checkpoints.is_final:
            self._steps_at_final = None
            return RunStatus.RUNNING if self._step else RunStatus.CREATED
        if self._steps_at_final is None and self._metrics.caught_up:
            self._steps_at_final = self._step
        gone_on = self._steps_at_final is not None and self._step > self._steps_at_final
        return RunStatus.RUNNING if gone_on else RunStatus.COMPLETED

    def _make_view(self) -> RunView:
        fold, config, metrics = self._metrics.fold, self._config, self._metrics
        status, started_at = self._status(), config.modified_at or metrics.modified_at
        completed = status is RunStatus.COMPLETED
        return RunView(
            run_id=self.directory.name or str(self.directory),
            name=self.directory.name or str(self.directory),
            method=config.method,
            base_model=config.base_model,
            backend=config.backend,
            status=status,
            phase="" if completed or not self._step else "training",
            phase_detail=_last_row(metrics.modified_at) if self._step else "no rows yet",
            step=self._step,
            total_steps=self._total_steps(),
            attempt=1,
            worker_pid=None,
            heartbeat_age_seconds=None,
            created_at=started_at,
            started_at=started_at or None,
            updated_at=metrics.modified_at,
            elapsed_seconds=max(0.0, metrics.modified_at - started_at),
            eta_seconds=None if completed else self._eta_seconds(),
            tokens=int(fold.counts.tokens),
            cost_usd=self._cost_usd(),
            waiting=None,
            finished=None,
            data=None,
            checkpoints=self._checkpoints.records(self._step) if self._checkpoints.rows else (),
            samples=(),
            scores=(),
            events=self._log.events(self.directory.name) if self._log.lines else (),
            series=fold.columns,
            superseded_rows=fold.counts.superseded_rows,
            is_sampled=metrics.is_sampled,
            notes=self._notes(),
        )

    def _total_steps(self) -> int:
        """Steps in all, from how fast the recorded progress grows; else the configured cap, 0 when unknown."""
        for key in _PROGRESS_KEYS:
            series = self._metrics.fold.columns.get(key)
            if series is not None and len(series) > 1:
                grown = series.values[-1] - series.values[0]
                if grown > 0:
                    return max(self._step, round((series.steps[-1] - series.steps[0]) / grown))
        return self._config.max_steps

    def _eta_seconds(self) -> float | None:
        total = self._total_steps()
        if len(self._pace) < 2 or not total:
            return None
        (first_step, first_at), (last_step, last_at) = self._pace[0], self._pace[-1]
        return (total - last_step) * (last_at - first_at) / (last_step - first_step) if last_at > first_at else None

    def _cost_usd(self) -> float | None:
        key = "cost/cumulative_usd"
        series, latest = self._metrics.fold.columns.get(key), self._metrics.fold.counts.latest.get(key)
        known = [v for v in (series.last if series is not None else None, latest) if v is not None]
        return max(known) if known else None

    def _notes(self) -> tuple[str, ...]:
        metrics, counts, notes = self._metrics, self._metrics.fold.counts, list[str]()
        if metrics.is_sampled:
            of = f" of about {metrics.expected_rows:,}" if metrics.expected_rows else ""
            notes.append(f"sampled: {counts.rows:,}{of} rows; the rest is being read ({metrics.done:.0%})")
        if metrics.trouble:
            notes.append(metrics.trouble)
        if counts.bad_count:
            lines = ", ".join(map(str, counts.bad_lines[:5])) + (", ..." if counts.bad_count > 5 else "")
            notes.append(f"metrics.jsonl: {counts.bad_count} unreadable lines were left out (line {lines})")
        if counts.left_out_keys:
            notes.append(f"metrics.jsonl: {counts.left_out_keys:,} values of too many keys were left out")
        if metrics.rewrites:
            notes.append(f"metrics.jsonl was rewritten {metrics.rewrites} times while it was watched")
        notes.append("no lease: whether the process that writes this directory lives is not known")
        return tuple(notes)


def _last_row(at: float) -> str:
    return f"last row at {datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S}" if at else ""
