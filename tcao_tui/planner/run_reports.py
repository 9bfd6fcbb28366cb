"""A run as small JSON for a planner: where it stands, how its numbers moved, what it saved, how it ended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tcao_tui.domain.headlines import headlines
from tcao_tui.domain.run_view import RunView
from tcao_tui.domain.series import Series
from tcao_tui.services.diagnosis import diagnose_run
from tcao_tui.services.follow import read_view
from tcao_tui.services.runs import find_run
from tcao_tui.store.port import RunStore

_POINTS = 12
LOSSES = {"train_loss": "train_mean_nll", "val_loss": "val_mean_nll"}
"""Names of losses in a report, and the metrics that they come from: mean negative log-likelihood per token, in nats."""


DIAGNOSIS = "diagnosis"
"""Key of a report under which its explanation by fixed rules stands, see `domain.diagnosis`."""


def read_run(store: RunStore, runs_root: Path, reference: str) -> dict[str, Any]:
    """The report of a run by id, name or `latest`, read to the end; blocks. Raises `UsageError` when there is none."""
    run_id = find_run(store, reference).run_id
    return {
        **run_report(read_view(store, run_id)),
        DIAGNOSIS: asdict(diagnose_run(store, runs_root, run_id)),
    }


def not_there_yet(report: Mapping[str, Any]) -> list[str]:
    """What a judgement would need and the run does not have."""
    return list(report.get(DIAGNOSIS, {}).get("missing", ()))


def run_report(view: RunView) -> dict[str, Any]:
    """The report of a view."""
    return {
        "run_id": view.run_id,
        "name": view.name,
        "status": str(view.status),
        "method": view.method,
        "base_model": view.base_model,
        "step": view.step,
        "total_steps": view.total_steps,
        "attempt": view.attempt,
        "tokens": view.tokens,
        "cost_usd": "unknown" if view.cost_usd is None else view.cost_usd,
        "elapsed_seconds": round(view.elapsed_seconds),
        **{name: loss_report(view.series.get(metric)) for name, metric in LOSSES.items()},
        "metrics": {h.key: loss_report(view.series[h.key]) for h in headlines(view) if h.key not in LOSSES.values()},
        "scores": [{**score.model_dump(mode="json", exclude={"kind"}), "value": score.value} for score in view.scores],
        "checkpoints": [_checkpoint(view, saved.name, saved.step, saved.reason) for saved in view.checkpoints],
        "data": view.data.model_dump(mode="json", exclude={"kind"}) if view.data else None,
        "waiting": view.waiting.model_dump(mode="json", exclude={"kind"}) if view.waiting else None,
        "finished": view.finished.model_dump(mode="json", exclude={"kind"}) if view.finished else None,
        "notes": list(view.notes),
    }


def loss_report(series: Series | None) -> dict[str, Any] | None:
    """First, lowest and last value with their steps, a few points between, and how many values are not finite."""
    if series is None or not len(series):
        return None
    points = [(step, value) for step, value in zip(series.steps, series.values, strict=True) if math.isfinite(value)]
    report: dict[str, Any] = {"count": len(series), "not_finite": len(series) - len(points)}
    if points:
        stride = max(1, math.ceil(len(points) / _POINTS))
        report |= {"first": points[0], "lowest": min(points, key=lambda point: point[1]), "last": points[-1]}
        report["points"] = points[::stride]
    return report


def _checkpoint(view: RunView, name: str, step: int, reason: str) -> dict[str, Any]:
    validation = view.series.get(LOSSES["val_loss"])
    return {
        "name": name,
        "step": step,
        "reason": reason,
        "val_loss": validation.value_at(step) if validation is not None else None,
        "scores": {score.name: score.value for score in view.scores if score.step == step},
    }
