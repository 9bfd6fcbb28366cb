"""Which tasks an evaluation has: those of the run's plan by layer, or those that were named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.plan import Plan
from tcao_tui.errors import UsageError

_LAYERS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for; empty and None leave the choice to the plan.

    Attributes:
        tasks: Names of Inspect's registry, or `FILE.py@TASK`.
        suites: Benchmarks of a use.
        layers: Only these layers of the plan.
        limit: Samples of each task.
        seed: Of their draw.
        epochs: Answers to each sample.
        judge: Model that grades, as Inspect names it.
    """

    tasks: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    layers: tuple[int, ...] = ()
    limit: int | None = None
    seed: int | None = None
    epochs: int | None = None
    judge: str = ""


def tasks_meant(wanted: Wanted, plan: Plan | None) -> list[EvalTask]:
    """The tasks, in the order of their layers.

    Args:
        wanted: What was asked for.
        plan: Of the run; None without one.

    Raises:
        UsageError: Nothing is meant, or a name is none.
        PlanInvalid: A file of the plan's evals is gone or changed.
    """
    named = _named(wanted, plan)
    if named and not wanted.layers:
        found = named
    elif plan is None:
        raise UsageError("no run of ours tells which evals", next_step="--task NAME or --suite NAME")
    else:
        found = [*_of_plan(plan, wanted.layers or _LAYERS, wanted.judge), *named]
    if not found:
        raise UsageError(
            "its plan has no evals of these layers", next_step="--task NAME, --suite NAME, or evals in the plan"
        )
    return [_adjusted(task, wanted) for task in sorted(found, key=lambda task: task.layer)]


def _named(wanted: Wanted, plan: Plan | None) -> list[EvalTask]:
    seed = wanted.seed if wanted.seed is not None else plan.training.seed if plan else 0
    return [
        EvalTask(
            name=task.rpartition("/")[2] if "@" in task else task,
            layer=3 if "@" in task else 2,
            target=_target(task),
            limit=wanted.limit,
            seed=seed,
            judge=wanted.judge,
        )
        for task in wanted.tasks
    ]


def _target(task: str) -> str:
    file, at, name = task.rpartition("@")
    if not at:
        return task
    path = Path(file).absolute()
    if not path.is_file():
        raise UsageError("there is no such file", where=file, next_step="--task FILE.py@TASK")
    return f"{path}@{name}"


def _of_plan(plan: Plan, layers: Sequence[int], judge: str) -> list[EvalTask]:
    return []


def _adjusted(task: EvalTask, wanted: Wanted) -> EvalTask:
    """With the settings that were given, where the task can take them."""
    changes: dict[str, object] = {}
    if wanted.limit is not None:
        changes["limit"] = wanted.limit
    if wanted.seed is not None:
        changes["seed"] = wanted.seed
    if wanted.epochs is not None and task.harness == "inspect":
        changes["epochs"] = wanted.epochs
    return task.model_copy(update=changes)
