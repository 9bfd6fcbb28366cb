"""Public benchmarks as tasks of an evaluation: found by name or suite, with what a score of them depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from tcao_tui.clients.benchmark_catalogue import DISTRIBUTION, installed_version, read_catalogue
from tcao_tui.domain.benchmarks.entry import PACKAGE, Benchmark
from tcao_tui.domain.benchmarks.settings import answer_settings, task_arguments
from tcao_tui.domain.benchmarks.table import SUITES, benchmark_named, suite
from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.errors import UsageError
from tcao_tui.services.plans import hash_file

_SEE = "tcao eval tasks"


def benchmark_names(words: Iterable[str]) -> list[str]:
    """Full names of the tasks that names and suites mean, each once, in their order.

    Raises:
        UsageError: A word is no suite, no task of Inspect Evals and no file of tasks.
    """
    found: dict[str, None] = {}
    for word in words:
        names = [b.name for b in suite(word)] if word in SUITES else [_full_name(word)]
        found.update(dict.fromkeys(names))
    return list(found)


def benchmark_task(
    name: str,
    *,
    limit: int | None = 100,
    seed: int = 0,
    thinks: bool = False,
    judge: str = "",
    epochs: int | None = None,
    is_guardrail: bool = False,
) -> EvalTask:
    """A benchmark with everything that its score depends on.

    Args:
        name: Task of Inspect Evals, with the package's name or without; another registered one; `FILE.py@TASK`.
        limit: Samples at most; None takes all.
        seed: Of the draw of samples, the same for all subjects.
        thinks: Whether answers begin with thinking, for which caps on their length are lifted.
        judge: Model that grades or plays a part, as Inspect names it; empty for the task's own. A task that is known
            to ask no further model does not take it.
        epochs: Answers to each sample; None for what the benchmark needs.
        is_guardrail: Whether it must not get worse, rather than better.

    Raises:
        UsageError: There is no such task.
    """
    name = _full_name(name)
    ours, listed = benchmark_named(name), read_catalogue().get(name)
    if ours is not None and not ours.helpers:
        judge = ""
    return EvalTask(
        name=name,
        layer=2,
        target=name,
        arguments=task_arguments(ours, thinks=thinks, judge=judge),
        generate=answer_settings(ours, thinks=thinks),
        limit=limit,
        seed=seed,
        epochs=epochs or (ours.epochs if ours is not None else 1),
        scorer=ours.scorer if ours is not None else "",
        judge=judge or _own_judge(ours),
        content=_content(name),
        version=f"{DISTRIBUTION} {installed_version()}, {listed.version}" if listed is not None else "",
        higher_is_better=ours is None or ours.higher_is_better,
        is_guardrail=is_guardrail,
    )


def plan_benchmarks(plan: Plan, *, judge: str = "") -> list[EvalTask]:
    """The benchmarks that a plan names, on the samples that its seed draws.

    Raises:
        UsageError: The plan names a task that does not exist.
    """
    return [
        benchmark_task(
            spec.name,
            limit=spec.limit,
            seed=plan.training.seed,
            thinks=thinks(plan.training.renderer_name or ""),
            judge=judge,
            is_guardrail=spec.name in plan.success.must_not_regress,
        )
        for spec in plan.evals.benchmarks
    ]


def model_roles(task: EvalTask) -> Mapping[str, str]:
    """Roles of Inspect and the models to bind to them, for `--model-role`."""
    if not task.judge:
        return {}
    ours = benchmark_named(task.target)
    return dict.fromkeys(["grader"] if ours is None else [h.role for h in ours.helpers if h.role], task.judge)


def _full_name(name: str) -> str:
    """The name as Inspect finds it; names of other packages and files are taken as they are."""
    if _file_of(name) is not None:
        return name
    full = name if "/" in name else f"{PACKAGE}/{name}"
    known = read_catalogue()
    if full in known or not full.startswith(f"{PACKAGE}/"):
        return full
    near = _nearest(full, [*known])
    raise UsageError(
        f"Inspect Evals {installed_version()} has no task {full.removeprefix(f'{PACKAGE}/')}",
        next_step=f"did you mean {' or '.join(near)}?" if near else f"`{_SEE}` lists tasks and suites",
    )


def _nearest(full: str, known: Sequence[str]) -> list[str]:
    short = full.removeprefix(f"{PACKAGE}/")
    names = [name.removeprefix(f"{PACKAGE}/") for name in known] + [*SUITES]
    begun = [name for name in names if name.startswith(f"{short}_")]
    return begun[:5] or get_close_matches(short, names, n=3)


def _file_of(name: str) -> Path | None:
    path, _, _ = name.partition("@")
    return Path(path) if path.endswith(".py") else None


def _content(name: str) -> str:
    path = _file_of(name)
    if path is None:
        return ""
    try:
        return hash_file(path)
    except OSError as error:
        raise UsageError("no such file of tasks", where=str(path), next_step="name it as FILE.py@TASK") from error


def _own_judge(ours: Benchmark | None) -> str:
    """The judge that the task takes by itself, where it is one."""
    helpers = ours.helpers if ours is not None else ()
    models = {model for helper in helpers for model in helper.default}
    return models.pop() if len(models) == 1 and all(helper.argument for helper in helpers) else ""
