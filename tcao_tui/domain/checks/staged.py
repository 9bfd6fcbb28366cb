"""A plan of several stages before the gates: each stage is judged as the plan that it is, under its own name."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from tcao_tui.domain.checks.findings import Finder, Judged, shown
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import Finding, Gate
from tcao_tui.domain.key_paths import dotted
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import Plan

_FIND = Finder(Gate.SCHEMA)


def subjects(plan: Plan, facts: Facts) -> tuple[Subject, ...]:
    """What is to be judged: the stages of a pipeline, else the plan itself."""
    if not plan.stages:
        return (Subject(plan, facts),)
    return tuple(Subject(stage.plan, facts) for stage in stage_plans(plan))


def stage_problems(plan: Plan) -> tuple[Finding, ...]:
    """Stages whose values make no plan."""
    try:
        stages = stage_plans(plan)
    except ValidationError as error:
        where = "stages" if plan.stages else plan.method
        return tuple(
            _FIND.error(
                f"{where}.{dotted(tuple(detail['loc']))}".rstrip("."),
                got=f"a stage with {dotted(tuple(detail['loc']))} = {shown(detail['input'])}: {detail['msg']}",
                expected="stages that are plans of their own",
                fix="correct the stage's `set`, or the plan's own value",
            )
            for detail in error.errors(include_url=False)
        )
    return tuple(
        _FIND.error(
            f"stages.{stage.index}.method",
            got=f"stage {stage.name} is itself a {stage.plan.method}",
            expected="a single training",
            fix="write its stages into this plan",
        )
        for stage in stages
        if plan.stages and stage.plan.method in ("pipeline", "rlhf")
    )


def by_stage(judge: Callable[[Subject], Judged], subject: Subject) -> Judged:
    """Judge every stage; a finding names the place where its value stands, in the stage or in the plan."""
    if not subject.plan.stages:
        return judge(subject)
    findings: dict[tuple[str, str, str], Finding] = {}
    reasons: list[str] = []
    stages = stage_plans(subject.plan)
    for stage in stages:
        judged = judge(Subject(stage.plan, subject.facts))
        settings = subject.plan.stages[stage.index].set
        goes_on = stage.index > 0 and stage.start != "base"
        is_last = stage.index == len(stages) - 1
        for finding in judged.findings:
            if (goes_on and finding.path == "start_from") or (not is_last and finding.path.startswith("success.")):
                continue  # the stage before is what it starts from, and the last one is what success is measured on
            owner = f"stages.{stage.index}"
            path = f"{owner}.set.{finding.path}" if finding.path in settings else finding.path
            path = f"{owner}.method" if finding.path == "method" else path
            fix = finding.fix
            if finding.severity == "error" and path == finding.path and not finding.where:
                fix = f"{fix}; or write {finding.path} for stage {stage.name} alone, into {owner}.set"
            told = finding.model_copy(update={"path": path, "got": f"stage {stage.name}: {finding.got}", "fix": fix})
            findings.setdefault((finding.path, finding.expected, finding.where), told)
        reasons += [judged.why_open] if judged.why_open and judged.why_open not in reasons else []
    return Judged(tuple(findings.values()), "; ".join(reasons))
