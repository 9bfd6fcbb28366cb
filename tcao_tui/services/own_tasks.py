"""The evals of a plan's own task as tasks of an evaluation: its score, rows and graders, Inspect tasks, evaluators."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pydantic import JsonValue

from tcao_tui.domain.application_evals import ApplicationEval
from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_code import named_code
from tcao_tui.domain.plan_data import DataFile, application_files, data_files
from tcao_tui.errors import PlanInvalid
from tcao_tui.services.plans import hash_file
from tcao_tui.services.user_code import code_hash

ROWS_TASK = "tcao_tui/rows"
"""Our task over a file of rows, as Inspect finds it."""

SCORE = "score"
"""Name of the task of `evals.score`, as `success` knows it."""


def own_tasks(plan: Plan) -> list[EvalTask]:
    """Layer 3 of a plan: what decides first, then the rest in the plan's order.

    `success.must_not_regress` makes guardrails of those that it names, but never of what `success.metric` names.

    Raises:
        PlanInvalid: A file or code is gone, or is not what was approved.
    """
    tasks = [*_score(plan), *_application(plan)]
    return sorted(tasks, key=lambda task: task.name != plan.success.metric)


def _score(plan: Plan) -> Iterator[EvalTask]:
    spec = plan.evals.score
    if spec is None:
        return
    file = next(file for file in data_files(plan) if file.field == "score_file")
    yield EvalTask(
        name=SCORE,
        layer=3,
        target=ROWS_TASK,
        arguments={"grader": spec.grader, "max_rows": spec.max_rows, **_fields(file)},
        files={"file": str(spec.file)},
        generate={"temperature": 0.0, "max_tokens": spec.max_tokens},
        seed=plan.training.seed,
        content=_content(plan, "evals.score", file),
        is_guardrail=_is_guardrail(plan, SCORE),
    )


def _application(plan: Plan) -> Iterator[EvalTask]:
    files = application_files(plan)
    for number, each in enumerate(plan.evals.application):
        key = f"evals.application[{number}]"
        own = [file for file in files if file.key.startswith(f"{key}.")]
        yield EvalTask(
            name=each.name,
            layer=3,
            harness="python" if each.kind == "python" else "inspect",
            target=_target(each),
            arguments=_rows_arguments(each, own[0]) if each.kind == "rows" else each.arguments,
            files=_files(each) if each.kind == "rows" else {},
            generate=each.generate,
            limit=None if each.kind == "python" else each.max_rows,
            seed=plan.training.seed,
            epochs=each.epochs,
            judge=each.judge,
            content=_content(plan, key, *own, also=each.entry),
            higher_is_better=not each.lower_is_better,
            is_guardrail=_is_guardrail(plan, each.name),
        )


def _target(each: ApplicationEval) -> str:
    match each.kind:
        case "rows":
            return ROWS_TASK
        case "inspect":
            return f"{each.file}@{each.entry}"
        case "python":
            return each.entry


def _rows_arguments(each: ApplicationEval, file: DataFile) -> dict[str, JsonValue]:
    arguments: dict[str, JsonValue] = {"grader": each.grader, **_fields(file)}
    return {**arguments, "rubric": each.rubric} if each.is_judged else arguments


def _files(each: ApplicationEval) -> dict[str, str]:
    named = {"file": each.file, "opponents": each.opponents}
    return {name: str(path) for name, path in named.items() if path is not None}


def _fields(file: DataFile) -> dict[str, JsonValue]:
    """How the rows are read, as far as the plan says."""
    fields = file.field_map
    if fields is None:
        return {}
    return {name: getattr(fields, name) for name in ("data_format", "input_field", "output_field")}


def _content(plan: Plan, key: str, *files: DataFile, also: str = "") -> str:
    """Hash over the rows and the code below a key. Raises `PlanInvalid`."""
    found = [also, *(_row_hash(file) for file in files)]
    for code in named_code(plan):
        if code.key.startswith(f"{key}."):
            present = code_hash(code.module).sha256
            _check(code.key, code.module, present, code.recorded)
            found.append(present)
    return hashlib.sha256("\0".join(found).encode()).hexdigest()


def _row_hash(file: DataFile) -> str:
    try:
        present = hash_file(file.path)
    except OSError as error:
        raise PlanInvalid(f"cannot be read: {error.strerror}", where=f"{file.key}: {file.path}") from error
    _check(file.key, str(file.path), present, file.recorded)
    return present


def _check(key: str, what: str, present: str, recorded: str) -> None:
    if recorded and present != recorded:
        raise PlanInvalid(
            "it is not what was approved (its SHA-256 differs)",
            where=f"{key}: {what}",
            next_step="restore it, or name it in another plan: scores of other contents do not compare",
        )


def _is_guardrail(plan: Plan, name: str) -> bool:
    return name in plan.success.must_not_regress and name != plan.success.metric
