"""Plans bound to the content of their files without any gate, for tests of what comes after consent."""

from __future__ import annotations

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
    code = tuple(map(code_hash, dict.fromkeys(code.module for code in named_code(plan))))
    return DataHashes().model_copy(update={**found, "teacher_files": teachers, "code": code})
