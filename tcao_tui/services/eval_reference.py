"""Which evaluations a person means, and what the run's plan asks of the selection rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.errors import UsageError
from tcao_tui.services.eval_choice import task_named
from tcao_tui.services.evaluation_view import EvaluationFollower
from tcao_tui.services.evaluations import find_evaluation, is_driven
from tcao_tui.services.plans import plan_of_run
from tcao_tui.services.runs import LATEST, find_run
from tcao_tui.store.port import RunStore

if TYPE_CHECKING:
    from tcao_tui.domain.selection import Wishes


def follow_evaluations(
    store: RunStore,
    runs_root: Path,
    reference: str,
    *,
    goal: str = "",
    accepted: Collection[str] = (),
    weights: Mapping[str, float] | None = None,
) -> EvaluationFollower:
    """Watch an evaluation, or all evaluations of a run.

    Args:
        store: The store.
        runs_root: Where runs lie.
        reference: An evaluation's id or the beginning of one, or a run; `latest` is the newest run.
        goal: Name of the task that decides; empty for what the run's plan calls success.
        accepted: Names of tasks whose loss, or whose lost answers, a person accepts.
        weights: Of several goals, by the tasks' names.

    Raises:
        UsageError: There is no such evaluation, run or task, or a weight is not above zero.
    """
    if any(weight <= 0 for weight in (weights or {}).values()):
        raise UsageError("a weight is above zero", next_step="leave out what does not count")
    follower, planned = _follower(store, runs_root, reference)
    if not (goal or accepted or weights):
        return follower(planned)
    tasks = follower(planned).poll()
    return follower(
        replace(
            planned,
            goal=task_named(tasks, goal).name if goal else planned.goal,
            accepted=frozenset(task_named(tasks, name).name for name in accepted),
            weights={task_named(tasks, name).name: weight for name, weight in (weights or {}).items()},
        )
    )


def _follower(
    store: RunStore, runs_root: Path, reference: str
) -> tuple[Callable[[Wishes], EvaluationFollower], Wishes]:
    """What watches the evaluations that are meant, given what is asked of the rule; and what the run's plan asks."""
    from tcao_tui.domain.selection import Wishes  # loads the statistics

    evaluation_id = None if reference == LATEST else _evaluation(store, reference)
    if evaluation_id is None:
        run = find_run(store, reference)
        run_id, title = run.run_id, run.name
    else:
        run_id, title = store.evaluations.evaluation(evaluation_id).spec.run_id, ""

    def follower(wishes: Wishes) -> EvaluationFollower:
        return EvaluationFollower(
            store.evaluations,
            run_id=run_id if evaluation_id is None else None,
            evaluation_id=evaluation_id,
            title=title,
            is_driven=lambda one: is_driven(runs_root, one),
            wishes=wishes,
        )

    plan = plan_of_run(runs_root, run_id)
    return follower, Wishes("" if plan is None else plan.success.metric)


def _evaluation(store: RunStore, reference: str) -> str | None:
    try:
        return find_evaluation(store.evaluations, reference)
    except UsageError:
        return None
