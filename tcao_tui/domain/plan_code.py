"""The Python code of one's own that a plan runs: graders and environments. Looking for it is a service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import Plan

PYTHON_GRADER = "python"
"""Name of the grader that calls `module:function`."""


@dataclass(frozen=True, slots=True)
class NamedCode:
    """A module that a plan names, or a file of code.

    Attributes:
        key: Key path of the `module:function`, or of the file.
        module: The module; of a file its path.
        recorded: SHA-256 that the plan already has of it; empty when none.
    """

    key: str
    module: str
    recorded: str

    @property
    def is_file(self) -> bool:
        """Whether it is known by its path, not by its name."""
        return PurePath(self.module).is_absolute()


def named_code(plan: Plan) -> tuple[NamedCode, ...]:
    """What a plan of one stage names: modules of its reward, its environment and its evals, files of Inspect tasks."""
    entries: dict[str, str] = {}
    if plan.evals.score is not None:
        entries["evals.score.grader"] = _of_grader(plan.evals.score.grader)
    for number, each in enumerate(plan.evals.application):
        key = f"evals.application[{number}]"
        entries[f"{key}.grader"] = _of_grader(each.grader) if each.kind == "rows" else ""
        entries[f"{key}.entry"] = each.entry if each.kind == "python" else ""
    if plan.rl is not None:
        entries["rl.environment"] = plan.rl.environment or ""
        entries["rl.grader"] = "" if plan.rl.environment else _of_grader(plan.rl.grader)
    found = ((key, entry.partition(":")[0]) for key, entry in entries.items() if entry)
    modules = [NamedCode(key, module, plan.data.code_of(module)) for key, module in found]
    return (*modules, *_task_files(plan))


def _task_files(plan: Plan) -> Iterator[NamedCode]:
    for number, each in enumerate(plan.evals.application):
        if each.kind == "inspect":
            recorded = next(iter(plan.data.application_files[number:]), "")
            yield NamedCode(f"evals.application[{number}].file", str(each.file), recorded)


def all_code(plan: Plan) -> tuple[NamedCode, ...]:
    """Every module whose code a worker runs; those of stages with the stages' keys and hashes."""
    if plan.method != "pipeline":
        return named_code(plan)
    return tuple(
        replace(code, key=f"stages.{stage.index}.set.{code.key}")
        for stage in stage_plans(plan)
        for code in named_code(stage.plan)
    )


def _of_grader(spec: str) -> str:
    name, _, entry = spec.partition(":")
    return entry if name == PYTHON_GRADER else ""
