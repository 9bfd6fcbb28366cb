"""Runs as JSON for scripts and agents. Keys are stable: they are added to and never renamed.

NaN and infinities, which JSON does not have, become null; times are Unix seconds, money is USD.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tcao_tui.errors import ExitCode, TcaoError

if TYPE_CHECKING:
    from pathlib import Path

    from tcao_tui.domain.events import StoredEvent
    from tcao_tui.domain.marks import Marks, RangeMarks
    from tcao_tui.domain.run_view import RunSummary, RunView
    from tcao_tui.domain.training_events import StageStarted


def to_json(value: object, *, indent: int | None = None) -> str:
    """JSON text of plain values, on one line unless indented."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_finite(inner) for inner in value]
    return value


def error_json(error: TcaoError) -> str:
    """An error as the result of a command."""
    return to_json(
        {
            "error": {
                "title": error.title,
                "what": error.what,
                "where": error.where,
                "next_step": error.next_step,
                "exit_code": int(error.exit_code),
            },
            **error.details,
        }
    )


def crash_json(reason: str, report: str) -> str:
    """A crash of ours as the result of a command."""
    where = {"title": "Internal error", "what": reason, "where": report, "next_step": "tcao doctor"}
    return to_json({"error": {**where, "exit_code": int(ExitCode.FAILED)}})


def summary_dict(summary: RunSummary) -> dict[str, Any]:
    """A row of `tcao ls`."""
    return {
        "run_id": summary.run_id,
        "name": summary.name,
        "status": str(summary.status),
        "method": summary.method,
        "base_model": summary.base_model,
        "backend": summary.backend,
        "step": summary.step,
        "total_steps": summary.total_steps,
        "train_loss": summary.train_loss,
        "val_loss": summary.val_loss,
        "numbers": dict(summary.numbers),
        "tokens": summary.tokens,
        "cost_usd": summary.cost_usd,
        "attempt": summary.attempt,
        "created_at": summary.created_at,
        "updated_at": summary.updated_at,
    }


def view_dict(view: RunView, run_dir: Path | None) -> dict[str, Any]:
    """A run as `tcao show` gives it."""
    return {
        "run_id": view.run_id,
        "name": view.name,
        "status": str(view.status),
        "phase": view.phase,
        "phase_detail": view.phase_detail,
        "method": view.method,
        "base_model": view.base_model,
        "backend": view.backend,
        "step": view.step,
        "total_steps": view.total_steps,
        "attempt": view.attempt,
        "worker_pid": view.worker_pid,
        "last_heartbeat_seconds": view.heartbeat_age_seconds,
        "created_at": view.created_at,
        "started_at": view.started_at,
        "updated_at": view.updated_at,
        "elapsed_seconds": view.elapsed_seconds,
        "eta_seconds": view.eta_seconds,
        "tokens": view.tokens,
        "cost_usd": view.cost_usd,
        "train_loss": last_value(view, "train_mean_nll"),
        "val_loss": last_value(view, "val_mean_nll"),
        "metrics": {key: series.last for key, series in view.series.items()},
        "stages": [_stage(view.marks, stage) for stage in view.marks.stages],
        "range_test": None if view.marks.range_test is None else _range_test(view.marks.range_test),
        "scores": [{**s.model_dump(mode="json", exclude={"kind"}), "value": s.value} for s in view.scores],
        "checkpoints": [c.model_dump(mode="json") for c in view.checkpoints],
        "data": view.data.model_dump(mode="json", exclude={"kind"}) if view.data else None,
        "waiting": view.waiting.model_dump(mode="json", exclude={"kind"}) if view.waiting else None,
        "finished": view.finished.model_dump(mode="json", exclude={"kind"}) if view.finished else None,
        "pending_request": view.pending_verb or None,
        "superseded_rows": view.superseded_rows,
        "unknown_events": dict(view.unknown_kinds),
        "notes": list(view.notes),
        "run_dir": str(run_dir) if run_dir else None,
    }


def _stage(marks: Marks, stage: StageStarted) -> dict[str, Any]:
    """A stage of a pipeline; `before` is what a later one measured before its first update."""
    ended = marks.ended.get(stage.index)
    return {
        **stage.model_dump(mode="json", include={"index", "name", "method", "first_step", "num_steps"}),
        "ended_early_at": ended.step if ended is not None else None,
        "before": dict(marks.baselines.get(stage.index, {})),
    }


def _range_test(marks: RangeMarks) -> dict[str, Any]:
    """The cells that are trained, in their order, and what came of all of them; null before."""
    cells = [cell.model_dump(mode="json", exclude={"kind"}) for _, cell in sorted(marks.trained.items())]
    return {"cells": cells, "result": marks.tested.model_dump(mode="json", exclude={"kind"}) if marks.tested else None}


def event_dict(stored: StoredEvent) -> dict[str, Any]:
    """An event of the stream."""
    body = stored.event.model_dump(mode="json")
    return {"type": "event", "seq": stored.seq, "attempt": stored.attempt, "at": stored.at, **body}


def last_value(view: RunView, key: str) -> float | None:
    """Newest value of a metric, or None."""
    series = view.series.get(key)
    return series.last if series is not None else None
