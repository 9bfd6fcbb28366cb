"""Runs held against each other: one metric along a common axis, where each ended and was best, and what differs. Pure.

Reading runs and plans is `services.compare`; drawing is the front ends' business.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tcao_tui.domain.headlines import HEADLINES, Headline, headlines
from tcao_tui.domain.run_view import RunView
from tcao_tui.domain.sweep_table import SCORE
from tcao_tui.errors import UsageError

Axis = Literal["step", "tokens", "seconds", "cost"]
AXES: tuple[Axis, ...] = get_args(Axis)
AXIS_WORDS: dict[Axis, str] = {"step": "step", "tokens": "tokens", "seconds": "seconds of work", "cost": "cost, USD"}

ABSENT = "(absent)"
"""Stands for a value that a run's plan does not have."""

_NOT_SETTINGS = ("training.run_name", "data", "stage_data", "decisions", "version")


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run had used when each step was done, attempts that were superseded included; steps ascend.

    Attributes:
        seconds: Time that a worker had the run; the gaps between attempts are left out.
        usd: NaN from the first unknown price on.
    """

    steps: Sequence[int]
    tokens: Sequence[float]
    seconds: Sequence[float]
    usd: Sequence[float]

    def at(self, axis: Axis, step: int) -> float | None:
        """The place of a step on an axis; None before the first entry and where it is not known."""
        if axis == "step":
            return float(step)
        index = bisect_right(self.steps, step) - 1
        if index < 0:
            return None
        value = {"tokens": self.tokens, "seconds": self.seconds, "cost": self.usd}[axis][index]
        return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run as it is compared.

    Attributes:
        label: Its name, made unique.
        ledger: None where only steps are known.
        settings: Its plan by key path; empty when there is none.
    """

    label: str
    view: RunView
    ledger: Ledger | None
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Track:
    """One run's values along the axis, `x` ascending; empty with a reason when there is nothing to draw."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one run ended in one metric and where it was best; None where it has no value."""

    last: float | None
    last_step: int | None
    best: float | None
    best_step: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not the same in all runs; `values` in their order, `ABSENT` where a run has none."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side, in the order in which they were named.

    Attributes:
        standings: By metric, one per run.
        notes: What makes the numbers less than like for like.
    """

    runs: tuple[ComparedRun, ...]
    axis: Axis
    metric: Headline
    tracks: tuple[Track, ...]
    standings: Mapping[str, tuple[Standing, ...]]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


def compare(runs: Sequence[ComparedRun], *, axis: Axis = "step", metric: str | None = None) -> Comparison:
    """Hold runs against each other.

    Args:
        runs: At least one.
        axis: What the curves run along.
        metric: Key of what is drawn; the most telling one that the runs share when None.

    Raises:
        UsageError: No run has that metric; names those that there are.
    """
    chosen = _metric(runs, metric)
    told = {h.key: h for run in runs for h in headlines(run.view)} | {SCORE.key: SCORE, chosen.key: chosen}
    return Comparison(
        runs=tuple(runs),
        axis=axis,
        metric=chosen,
        tracks=tuple(_track(run, axis, chosen) for run in runs),
        standings=_standings(runs, told),
        differences=differences([run.settings for run in runs]),
        notes=tuple(_notes(runs, axis, chosen)),
    )


def differences(settings: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    """Key paths that not all runs give the same value; runs without any settings are not held against others."""
    known = [own for own in settings if own]
    paths = dict.fromkeys(path for own in known for path in own)
    found: list[Difference] = []
    for path in paths:
        if any(path == left_out or path.startswith(f"{left_out}.") for left_out in _NOT_SETTINGS):
            continue
        if len({repr(own.get(path, ABSENT)) for own in known}) > 1:
            found.append(Difference(path, tuple(own.get(path, ABSENT) for own in settings)))
    return tuple(found)


def headline_of(key: str) -> Headline:
    """A metric by its key; which way is better is None where nobody says."""
    known = {h.key: h for group in HEADLINES.values() for h in group} | {SCORE.key: SCORE}
    return known.get(key, Headline(key, key, None))


def metric_keys(runs: Sequence[ComparedRun]) -> list[str]:
    """Every metric that some run has values of."""
    return list(dict.fromkeys(key for run in runs for key in _keys(run)))


def _metric(runs: Sequence[ComparedRun], asked: str | None) -> Headline:
    there = metric_keys(runs)
    if asked is not None:
        if asked not in there:
            keys = ", ".join(there) or "none yet"
            raise UsageError(f"no run has the metric {asked!r}", where="--metric", next_step=f"there are: {keys}")
        return headline_of(asked)
    telling = [h.key for run in runs for h in headlines(run.view)]
    shared = [key for key in dict.fromkeys([*telling, *there]) if all(key in _keys(run) for run in runs)]
    return headline_of(next(iter([*shared, *telling, *there]), "train_mean_nll"))


def _keys(run: ComparedRun) -> list[str]:
    keys = [key for key, series in run.view.series.items() if len(series)]
    return [*keys, SCORE.key] if run.view.scores else keys


def _points(view: RunView, key: str) -> list[tuple[int, float]]:
    if key == SCORE.key:
        return sorted((s.step, s.value) for s in view.scores if s.value is not None)
    series = view.series.get(key)
    return list(zip(series.steps, series.values, strict=True)) if series is not None else []


def _track(run: ComparedRun, axis: Axis, metric: Headline) -> Track:
    points = _points(run.view, metric.key)
    if not points:
        return Track(run.label, (), (), f"has no {metric.key}")
    if run.ledger is None and axis != "step":
        return Track(run.label, (), (), f"its record does not say {AXIS_WORDS[axis]}")
    ledger = run.ledger or Ledger((), (), (), ())
    placed = [(x, value) for step, value in points if (x := ledger.at(axis, step)) is not None]
    if not placed:
        return Track(run.label, (), (), "no price is known" if axis == "cost" else f"has no {AXIS_WORDS[axis]}")
    return Track(run.label, [x for x, _ in placed], [y for _, y in placed])


def _standings(runs: Sequence[ComparedRun], metrics: Mapping[str, Headline]) -> dict[str, tuple[Standing, ...]]:
    found = {key: tuple(_standing(_points(run.view, key), metric) for run in runs) for key, metric in metrics.items()}
    return {key: standings for key, standings in found.items() if any(s.last is not None for s in standings)}


def _standing(points: Sequence[tuple[int, float]], metric: Headline) -> Standing:
    finite = [(value, step) for step, value in points if math.isfinite(value)]
    last_step, last = points[-1] if points else (None, None)
    if not finite or metric.better is None:
        return Standing(last, last_step, None, None)
    best, step = max(finite, key=lambda p: p[0]) if metric.better == "higher" else min(finite, key=lambda p: p[0])
    return Standing(last, last_step, best, step)


def _notes(runs: Sequence[ComparedRun], axis: Axis, metric: Headline) -> list[str]:
    notes: list[str] = []
    if len({run.view.base_model for run in runs}) > 1 and metric.key.endswith("_nll"):
        notes.append("losses are per token of each model: between base models with other tokenizers they mean little")
    if metric.key.startswith("val_") and _differ(runs, "training.val_file"):
        notes.append("the runs validate on different rows")
    if metric.key == SCORE.key and (_differ(runs, "evals.score.file") or _differ(runs, "evals.score.max_rows")):
        notes.append("the runs are scored on different rows")
    if axis == "seconds" and len({run.view.backend for run in runs}) > 1:
        notes.append("the runs are on different backends, so seconds are not like for like")
    live = [run.label for run in runs if run.view.status.is_live]
    if live:
        notes.append(f"still running: {', '.join(live)}")
    return notes


def _differ(runs: Sequence[ComparedRun], path: str) -> bool:
    return len({repr(run.settings[path]) for run in runs if path in run.settings}) > 1
