"""The Python code of one's own that a plan runs: graders and environments. Looking for it is a service."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import Plan

PYTHON_GRADER = "python"
"""Name of the grader that calls `module:function`."""


@dataclass(frozen=True, slots=True)
class NamedCode:
    """A module that a plan names.

    Attributes:
        key: Key path of the `module:function`.
        recorded: SHA-256 that the plan already has of it; empty when none.
    """

    key: str
    module: str
    recorded: str


def named_code(plan: Plan) -> tuple[NamedCode, ...]:
    """The modules that a plan of one stage names: of its reward, its environment and its eval."""
    entries: dict[str, str] = {}
    if plan.evals.score is not None:
        entries["evals.score.grader"] = _of_grader(plan.evals.score.grader)
    if plan.rl is not None:
        entries["rl.environment"] = plan.rl.environment or ""
        entries["rl.grader"] = "" if plan.rl.environment else _of_grader(plan.rl.grader)
    found = ((key, entry.partition(":")[0]) for key, entry in entries.items() if entry)
    return tuple(NamedCode(key, module, plan.data.code_of(module)) for key, module in found)


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
