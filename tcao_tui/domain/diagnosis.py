"""Explains a run's state in words, from its record alone: what it does, since when, what stands out, what to do next.

Pure, by fixed rules and without an LLM; the rules that watch a running training are `domain.watch`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from tcao_tui.domain.diagnosis_state import facts_of, next_commands, state_of
from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.domain.series import Series
from tcao_tui.domain.wording import money_text, number_text, share_text

if TYPE_CHECKING:
    from tcao_tui.domain.events import Scored
    from tcao_tui.domain.plan import Plan

OVERFIT_RISE = 0.02
"""Validation loss that ends this share above its lowest value counts as rising."""

LITTLE_FALL = 0.01
"""Training loss that fell by less than this share counts as not falling."""

_ALERTS_TOLD = 5
_LAST_LOSSES = 5


@dataclass(frozen=True, slots=True)
class RunFinding:
    """One thing about a run: what, the numbers, and what to do."""

    what: str
    evidence: str
    do: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A run in words.

    Attributes:
        state: What it does or how it ended, and since when.
        facts: Its numbers: how losses moved, pace, cost.
        findings: What stands out, the gravest first.
        missing: What a judgement would need and the run does not have.
        next_commands: What makes sense to type now, best first.
    """

    run_id: str
    status: str
    state: str
    facts: tuple[str, ...] = ()
    findings: tuple[RunFinding, ...] = ()
    missing: tuple[str, ...] = ()
    next_commands: tuple[str, ...] = field(default=())


def diagnose(view: RunView, *, now: float, plan: Plan | None = None) -> Diagnosis:
    """Explain a run.

    Args:
        view: Read to the end.
        now: Unix seconds.
        plan: Its plan, for the cap; None when it cannot be read.
    """
    cap_usd = None if plan is None else plan.budget.max_cost_usd
    rules: tuple[Callable[[RunView], Iterator[RunFinding]], ...] = (
        _end,
        _pilot,
        _alerts,
        _not_finite,
        _losses,
        _validation,
        _scores,
        _data,
    )
    findings = [finding for rule in rules for finding in rule(view)]
    return Diagnosis(
        run_id=view.run_id,
        status=str(view.status),
        state=state_of(view, now),
        facts=tuple(facts_of(view, cap_usd)),
        findings=(*findings, *_budget(view, cap_usd)),
        missing=tuple(_missing(view)),
        next_commands=tuple(next_commands(view)),
    )


def _end(view: RunView) -> Iterator[RunFinding]:
    if view.status is RunStatus.LOST:
        age = view.heartbeat_age_seconds
        silent = "" if age is None else f", silent for {age:.0f} s"
        yield RunFinding(
            "the worker is gone",
            f"last seen at step {view.step}{silent}; it said no end",
            "look at the end of worker.log, then resume: it goes on from a checkpoint",
        )
    end = view.finished
    if end is not None and end.outcome not in ("completed", "stopped"):
        place = f" ({end.where})" if end.where else ""
        yield RunFinding(f"the run ended as {end.outcome}", f"{end.what or 'it said no more'}{place}", end.next_step)


def _pilot(view: RunView) -> Iterator[RunFinding]:
    test = view.marks.range_test
    if test is not None and test.tested is not None and not test.tested.passed:
        why, _, change = test.tested.finding.partition(": ")
        yield RunFinding("the plan's values do worse than others in its range test", why, change)
    pilot = view.marks.pilot
    if pilot is not None and not pilot.passed:
        for finding in pilot.findings:
            why, _, change = finding.partition(": ")
            yield RunFinding(f"the pilot of {pilot.step} steps did not pass", why, change or "change the plan")


def _alerts(view: RunView) -> Iterator[RunFinding]:
    newest = {alert.rule: alert for alert in view.marks.alerts}
    gravest_first = sorted(newest.values(), key=lambda a: ("critical", "warning", "note").index(a.severity))
    for alert in gravest_first[:_ALERTS_TOLD]:
        good = [c for c in view.checkpoints if c.step < (alert.since or alert.step)]
        back = f"; the last good checkpoint is {good[-1].state_path}" if good and alert.severity == "critical" else ""
        what = f"{alert.rule.replace('_', ' ')} at step {alert.step} ({alert.severity})"
        yield RunFinding(what, alert.evidence, f"{alert.suggestion}{back}".lstrip("; "))


def _told(view: RunView, rule: str) -> bool:
    return any(alert.rule == rule for alert in view.marks.alerts)


def _not_finite(view: RunView) -> Iterator[RunFinding]:
    for key in ("train_mean_nll", "val_mean_nll", "dpo_loss"):
        series = view.series.get(key)
        bad = 0 if series is None else sum(not math.isfinite(value) for value in series.values)
        if series is not None and bad and not (_told(view, "not_finite") or _told(view, "all_masked")):
            evidence = f"{bad} of {len(series)} values of {key} are not finite"
            yield RunFinding("the loss broke", evidence, "a smaller learning rate, or grad_clip_norm 1.0")


def _losses(view: RunView) -> Iterator[RunFinding]:
    key = "dpo_loss" if view.method == "dpo" else "train_mean_nll"
    points = _points(view.series.get(key))
    if len(points) <= 2 * _LAST_LOSSES or _told(view, "loss_stuck"):
        return
    (first_step, first), (last_step, _) = points[0], points[-1]
    # A single batch at the end may be an odd one.
    last = median(value for _, value in points[-_LAST_LOSSES:])
    if last > first * (1 - LITTLE_FALL):
        evidence = f"{key} {number_text(first)} at step {first_step}, about {number_text(last)} up to step {last_step}"
        yield RunFinding("training loss does not fall", evidence, "check rows and loss mask, then the learning rate")


def _validation(view: RunView) -> Iterator[RunFinding]:
    points = _points(view.series.get("val_dpo_loss" if view.method == "dpo" else "val_mean_nll"))
    if len(points) < 2 or _told(view, "over_fitting") or _told(view, "early_stopping"):
        return
    step, lowest = min(points, key=lambda point: point[1])
    if step == points[0][0]:
        # Held-out rows got no better at all, so the rows were not learned by heart either.
        return
    last_step, last = points[-1]
    if last > lowest * (1 + OVERFIT_RISE):
        evidence = (
            f"validation loss {number_text(lowest)} at step {step}, {number_text(last)} at step {last_step}: "
            f"{share_text(last / lowest - 1)} above"
        )
        yield RunFinding(
            "it learns the rows by heart", evidence, f"use a checkpoint near step {step}; fewer steps next time"
        )


def _scores(view: RunView) -> Iterator[RunFinding]:
    by_name: dict[str, list[Scored]] = {}
    for score in view.scores:
        by_name.setdefault(score.name, []).append(score)
    for name, scores in by_name.items():
        first, last = scores[0], scores[-1]
        if all(score.value is None for score in scores):
            evidence = f"{name}: {last.counts} at step {last.step}"
            do = "look at the samples: the answers are not in the form that the grader reads"
            yield RunFinding("no answer could be graded", evidence, do)
        elif last.step > first.step and (last.value or 0.0) <= (first.value or 0.0):
            evidence = f"{name}: {first.counts} at step {first.step}, {last.counts} at step {last.step}"
            do = "look at the samples: format first, then data and steps"
            yield RunFinding("the score did not rise", evidence, do)


def _data(view: RunView) -> Iterator[RunFinding]:
    if view.data is not None and view.data.truncated_rows:
        share = share_text(view.data.truncated_rows / max(view.data.train_rows, 1))
        evidence = f"{view.data.truncated_rows} of {view.data.train_rows} rows ({share}) were cut at max_seq_len"
        yield RunFinding("rows are cut", evidence, "raise training.max_seq_len, or shorten the rows")


def _budget(view: RunView, cap_usd: float | None) -> Iterator[RunFinding]:
    cost = view.cost_usd
    if not cap_usd or cost is None or not view.step or not view.total_steps or view.status is RunStatus.COMPLETED:
        return
    projected = cost / view.step * view.total_steps
    if projected > cap_usd:
        evidence = f"{money_text(cost)} for {view.step} of {view.total_steps} steps; the cap is {money_text(cap_usd)}"
        last_step = int(view.step * cap_usd / cost)
        yield RunFinding(
            f"the budget will end it about step {last_step}", evidence, "a new plan with a higher budget.max_cost_usd"
        )


def _missing(view: RunView) -> Iterator[str]:
    if not any(len(series) for key, series in view.series.items() if not key.startswith("val_")):
        yield "no step is trained yet"
    if not any(key.startswith("val_") for key in view.series):
        yield "nothing was measured on held-out rows: there is no val_file, or no validation has come"
    if len({score.step for score in view.scores}) < 2:
        yield "no score before and after: nobody can say whether the model became better"
    if not view.checkpoints:
        yield "no checkpoint is saved"


def _points(series: Series | None) -> list[tuple[int, float]]:
    """Steps and finite values."""
    if series is None:
        return []
    return [(step, value) for step, value in zip(series.steps, series.values, strict=True) if math.isfinite(value)]
