"""Plans bound to the content of their files without any gate, for tests of what comes after consent."""

from __future__ import annotations

from pathlib import Path

from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import DataHashes, Plan
from tcao_tui.domain.plan_code import named_code
from tcao_tui.domain.plan_data import data_files, teacher_files
from tcao_tui.services.plans import hash_file
from tcao_tui.services.user_code import code_hash


def resolve(plan: Plan) -> Plan:
    """The plan with the SHA-256 of its data files and its code filled in."""
    stages = stage_plans(plan) if plan.method == "pipeline" else ()
    return plan.model_copy(update={"data": _hashes(plan), "stage_data": tuple(_hashes(stage.plan) for stage in stages)})


def _hashes(plan: Plan) -> DataHashes:
    teachers = tuple(hash_file(file.path) for file in teacher_files(plan))
    found = {str(file.field): hash_file(file.path) for file in data_files(plan)}
    code = tuple(map(code_hash, dict.fromkeys(code.module for code in named_code(plan) if not code.is_file)))
    further = {**_further(plan, "application", "file"), **_further(plan, "opponent", "opponents")}
    return DataHashes().model_copy(update={**found, **further, "teacher_files": teachers, "code": code})


def _further(plan: Plan, field: str, key: str) -> dict[str, tuple[str, ...]]:
    paths = [getattr(each, key) for each in plan.evals.application]
    return {f"{field}_files": tuple("" if path is None else _hash(path) for path in paths)}


def _hash(path: Path) -> str:
    return code_hash(str(path)).sha256 if path.suffix == ".py" else hash_file(path)
