"""The directory of one run: where its files lie, and the mirror of its record in the tinker-cookbook's layout.

The mirror is for people and cookbook tools and is never read back as truth: the run store is. A commit whose mirror
was lost is missing here, not there.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.events import CheckpointDeleted, CheckpointSaved, MetricRow, Resumed, RunEvent
from tcao_tui.errors import PlanInvalid, UsageError
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.lease import LOCK_NAME
from tcao_tui.store.plan_file import CONFIG_NAME, PLAN_NAME, read_plan

_RUN_ID = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")


class RunDir:
    """Paths of one run.

    Args:
        runs_root: Directory of all runs.
        run_id: One path segment.

    Raises:
        UsageError: The id is no path segment of ours, such as `../x`.
    """

    def __init__(self, runs_root: Path, run_id: str) -> None:
        if not _RUN_ID.match(run_id):
            raise UsageError(f"{run_id!r} cannot be the id of a run", next_step="tcao ls")
        self.run_id = run_id
        self.path = runs_root / run_id

    def create(self) -> None:
        """Make the directory, readable by this user only. Raises `FileExistsError` and other `OSError`s."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.mkdir(mode=0o700)

    @property
    def plan(self) -> Path:
        """The plan as it was approved."""
        return self.path / PLAN_NAME

    @property
    def training_config(self) -> Path:
        """Its hyperparameters."""
        return self.path / CONFIG_NAME

    @property
    def log(self) -> Path:
        """What the worker printed."""
        return self.path / "worker.log"

    @property
    def lock(self) -> Path:
        """The worker's kernel lock."""
        return self.path / LOCK_NAME

    @property
    def metrics_mirror(self) -> Path:
        """Metric rows in the cookbook's layout, for people."""
        return self.path / "metrics.jsonl"

    @property
    def checkpoints_mirror(self) -> Path:
        """Checkpoints in the cookbook's layout, for people."""
        return self.path / "checkpoints.jsonl"

    @property
    def config_mirror(self) -> Path:
        """The config in the cookbook's layout, for people."""
        return self.path / "config.json"


class Mirror:
    """Writes `config.json`, `metrics.jsonl` and `checkpoints.jsonl` beside the plan. Only for the holder of the lock.

    Args:
        run_dir: The run's directory.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self._run_dir = run_dir
        self._opened = False

    def write(self, *, events: Sequence[RunEvent], metrics: Sequence[MetricRow]) -> None:
        """Repeat one commit. Raises `OSError`, and may be called again after it."""
        try:
            if not self._opened:
                self._open()
            for event in events:
                self._write_event(event)
            _append(self._run_dir.metrics_mirror, [metric_row(row) for row in metrics])
        except OSError:
            self._opened = False  # half a line may have been written
            raise

    def _write_event(self, event: RunEvent) -> None:
        match event:
            case Resumed(step=step):
                # Rows past the resume are trained anew, and the cookbook's readers show every row of the file.
                _rewrite(self._run_dir.metrics_mirror, lambda row: not _is_past(row, step))
            case CheckpointSaved(checkpoint=checkpoint):
                _append(self._run_dir.checkpoints_mirror, [checkpoint_row(checkpoint)])
            case CheckpointDeleted(name=name):
                _rewrite(self._run_dir.checkpoints_mirror, lambda row: row.get("name") != name)
            case _:
                pass

    def _open(self) -> None:
        for path in (self._run_dir.metrics_mirror, self._run_dir.checkpoints_mirror):
            _mend_tail(path)
        if (config := _config(self._run_dir)) is not None:
            write_text(self._run_dir.config_mirror, json.dumps(config, indent=2) + "\n")
        self._opened = True


def _config(run_dir: RunDir) -> dict[str, Any] | None:
    """The plan as one flat mapping, as the cookbook's viewers show a config; None where there is no readable plan."""
    try:
        plan = read_plan(run_dir.plan).model_dump(mode="json")
    except (OSError, PlanInvalid):
        return None
    return {"run_id": run_dir.run_id, "method": plan["method"], "goal": plan["goal"], **plan["training"]}


def metric_row(row: MetricRow) -> dict[str, Any]:
    """A row as the cookbook's `log_metrics` writes it; NaN and infinities stay, as Python's JSON has them."""
    place = {"step": row.step} if row.batch is None else {"step": row.step, "epoch": row.epoch, "batch": row.batch}
    return {**place, **row.values, **place, "attempt": row.attempt, "time": row.at}


def checkpoint_row(record: CheckpointRecord) -> dict[str, Any]:
    """A checkpoint as the cookbook's `CheckpointRecord` reads it; further keys of ours are kept as extras."""
    sampler = {} if record.sampler_path is None else {"sampler_path": record.sampler_path}
    return {
        "name": record.name,
        "batch": record.cursor.batch,
        "epoch": record.cursor.epoch,
        "final": record.reason == "final",
        "state_path": record.state_path,
        **sampler,
        "step": record.step,
        "attempt": record.attempt,
        "reason": record.reason,
    }


def _is_past(row: Mapping[str, Any], step: int) -> bool:
    found = row.get("step")
    return isinstance(found, int) and found > step


def _append(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if text:
        # One write per commit, so that a reader never meets half a line of a living worker.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            if file.write(text.encode()) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _mend_tail(path: Path) -> None:
    """Cut off the half line that a killed worker left, so that the next row is not welded to it."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return
    with file:
        size = file.seek(0, os.SEEK_END)
        kept, block = size, 1 << 16
        while kept > 0:
            start = max(0, kept - block)
            file.seek(start)
            newline = file.read(kept - start).rfind(b"\n")
            if newline >= 0:
                kept = start + newline + 1
                break
            kept = start
        if kept < size:
            file.truncate(kept)


def _rewrite(path: Path, wanted: Callable[[Mapping[str, Any]], bool]) -> None:
    """Keep the wanted rows of a file, in one piece: a reader sees the old file or the new one."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        return
    kept = [line for line in lines if (row := _parsed(line)) is not None and wanted(row)]
    if len(kept) < len(lines):
        write_text(path, "".join(kept))


def _parsed(line: str) -> Mapping[str, Any] | None:
    try:
        row: Any = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
