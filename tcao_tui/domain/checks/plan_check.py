"""The validator: one function that says everything that keeps a plan from being approved, for every front end.

Pure: the same draft and facts give the same sheet. What is not measured leaves its gate open, which is no pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tcao_tui.domain.checks.capability import check_capability
from tcao_tui.domain.checks.combinations import check_combinations
from tcao_tui.domain.checks.cost import check_cost, estimated
from tcao_tui.domain.checks.data import check_data
from tcao_tui.domain.checks.evals import check_evals
from tcao_tui.domain.checks.findings import Judged
from tcao_tui.domain.checks.schema import overlapping_keys, plan_of
from tcao_tui.domain.checks.staged import by_stage, stage_problems, subjects
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.domain.draft import Draft, nested
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import Gate, GateResult, result_of
from tcao_tui.domain.plan import DataHashes, Plan, approval_hash
from tcao_tui.domain.plan_code import named_code
from tcao_tui.domain.plan_data import application_files, teacher_files
from tcao_tui.domain.sheet import PlanSheet

_WAITS_FOR_SCHEMA = "waits until every value is of its kind"
_JUDGES: Mapping[Gate, Callable[[Subject], Judged]] = {
    Gate.COMBINATIONS: check_combinations,
    Gate.DATA: check_data,
    Gate.CAPABILITY: check_capability,
    Gate.EVALS: check_evals,
    Gate.COST: check_cost,
}
"""The gates between schema and approval, in their order."""


def check(draft: Draft, facts: Facts) -> PlanSheet:
    """Judge a completed draft by all gates; never raises."""
    plan, findings = plan_of(nested(draft))
    findings = (*overlapping_keys(draft), *findings, *(stage_problems(plan) if plan is not None else ()))
    if plan is None or findings:
        schema = result_of(Gate.SCHEMA, findings)
        waiting = tuple(GateResult(gate=gate, status="open", why_open=_WAITS_FOR_SCHEMA) for gate in _JUDGES)
        return PlanSheet(draft, None, (schema, *waiting, _approval(None)), None, None, None)
    return _sheet(draft, Subject(plan, facts))


def _sheet(draft: Draft, subject: Subject) -> PlanSheet:
    results = [result_of(Gate.SCHEMA, ())]
    for gate, judge in _JUDGES.items():
        judged = judge(subject) if gate is Gate.COST else by_stage(judge, subject)
        results.append(result_of(gate, judged.findings, judged.why_open))
    plan = _with_hashes(subject)
    quote = subject.model.price if subject.model is not None else None
    is_ready = quote is not None and all(result.status in ("pass", "warn") for result in results)
    wanted = approval_hash(plan, quote) if is_ready and quote is not None else None
    return PlanSheet(draft, plan, (*results, _approval(wanted)), quote, estimated(subject), wanted)


def _with_hashes(subject: Subject) -> Plan:
    """The plan bound to the content of its files and its code, as far as they were looked at."""
    plan = subject.plan
    hashes = [_hashes(each) for each in subjects(plan, subject.facts)] if plan.stages else []
    return plan.model_copy(update={"data": _hashes(subject), "stage_data": tuple(hashes)})


def _hashes(subject: Subject) -> DataHashes:
    profiles = {file.field: subject.profile(file.field) for file in subject.files}
    found: dict[str, Any] = {str(field): profile.sha256 for field, profile in profiles.items() if profile is not None}
    teachers = [subject.facts.profile(file.path) for file in teacher_files(subject.plan)]
    found["teacher_files"] = tuple("" if profile is None else profile.sha256 for profile in teachers)
    found |= _application_hashes(subject)
    modules = dict.fromkeys(code.module for code in named_code(subject.plan) if not code.is_file)
    known = ((module, subject.facts.code_hash(module)) for module in modules)
    found["code"] = tuple(CodeHash(module=module, sha256=sha256) for module, sha256 in known if sha256)
    return DataHashes.model_validate(found)


def _application_hashes(subject: Subject) -> dict[str, tuple[str, ...]]:
    """Of each further eval its rows or the file of its task, and its answers to beat; empty where there are none."""
    known: dict[str, str] = {file.key: subject.sha256(file) for file in application_files(subject.plan)}
    known |= {code.key: subject.facts.code_hash(code.module) for code in named_code(subject.plan) if code.is_file}
    numbers = range(len(subject.plan.evals.application))
    return {
        f"{name}_files": tuple(known.get(f"evals.application[{number}].{key}", "") for number in numbers)
        for name, key in (("application", "file"), ("opponent", "opponents"))
    }


def _approval(wanted: str | None) -> GateResult:
    why = f"needs a person's approval of {wanted}" if wanted is not None else "the gates before it must pass first"
    return GateResult(gate=Gate.APPROVAL, status="open", why_open=why)
