"""Which tasks an evaluation has: those of the run's plan by layer, or those that were named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.held_out_task import held_out_tasks
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.errors import UsageError
from tcao_tui.services.benchmarks import benchmark_names, benchmark_task, plan_benchmarks
from tcao_tui.services.own_tasks import own_tasks
from tcao_tui.services.plans import hash_file

_LAYERS = (1, 2, 3)
_SAMPLES = 100
"""Of a benchmark that was named without a limit."""


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
    files = [task for task in wanted.tasks if "@" in task]
    listed = benchmark_names([*wanted.suites, *(task for task in wanted.tasks if "@" not in task)])
    thinking = thinks(plan.training.renderer_name or "") if plan else False
    benchmarks = [
        benchmark_task(name, limit=wanted.limit or _SAMPLES, seed=seed, thinks=thinking, judge=wanted.judge)
        for name in listed
    ]
    return [*benchmarks, *(_of_file(task, seed, wanted.judge) for task in files)]


def _of_file(task: str, seed: int, judge: str) -> EvalTask:
    """A task of one's own, known by what its file holds."""
    file, _, name = task.rpartition("@")
    path = Path(file).absolute()
    if not path.is_file():
        raise UsageError("there is no such file", where=file, next_step="--task FILE.py@TASK")
    return EvalTask(
        name=f"{path.name}@{name}",
        layer=3,
        target=f"{path}@{name}",
        seed=seed,
        judge=judge,
        content=hash_file(path),
        arguments={},
    )


def _of_plan(plan: Plan, layers: Sequence[int], judge: str) -> list[EvalTask]:
    seed = plan.training.seed
    found: list[EvalTask] = []
    found += held_out_tasks(plan, seed=seed) if 1 in layers else []
    found += plan_benchmarks(plan, judge=judge) if 2 in layers else []
    found += own_tasks(plan) if 3 in layers else []
    return found


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
