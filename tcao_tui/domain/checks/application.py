"""Part of gate 5: further evals of the task itself, and the judges that grade them."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.application_evals import JUDGED, ApplicationEval
from tcao_tui.domain.checks.findings import Finder, Judged, shown
from tcao_tui.domain.checks.graders import check_grader
from tcao_tui.domain.checks.scored_rows import check_scored_rows
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.judges import judge_cautions
from tcao_tui.domain.plan_data import application_files

_TAKEN = "score"


def check_application(find: Finder, subject: Subject) -> Judged:
    """Judge all of them."""
    findings: list[Finding] = [*_names(find, subject)]
    reasons: list[str] = []
    for file in application_files(subject.plan):
        judged = check_scored_rows(find, subject, file)
        findings += judged.findings
        reasons.append(judged.why_open)
    for number, each in enumerate(subject.plan.evals.application):
        key = f"evals.application[{number}]"
        if each.kind == "rows":
            known = [*subject.facts.graders, *JUDGED]
            findings += check_grader(find, f"{key}.grader", each.grader, known)
        elif each.kind == "inspect" and each.file is not None and each.file.suffix != ".py":
            findings.append(
                find.error(
                    f"{key}.file",
                    got=shown(each.file),
                    expected="a Python file with a task of Inspect",
                    fix="name the .py file, or set its kind to rows",
                )
            )
        findings += _judge(find, subject, each, key)
    return Judged(tuple(findings), "; ".join(filter(None, reasons)))


def _names(find: Finder, subject: Subject) -> Iterator[Finding]:
    taken = [_TAKEN, *(benchmark.name for benchmark in subject.plan.evals.benchmarks)]
    for number, each in enumerate(subject.plan.evals.application):
        if each.name in taken:
            yield find.error(
                f"evals.application[{number}].name",
                got=f"{shown(each.name)} a second time",
                expected="a name of its own",
                fix="rename it",
            )
        taken.append(each.name)


def _judge(find: Finder, subject: Subject, each: ApplicationEval, key: str) -> Iterator[Finding]:
    if not each.judge:
        return
    if "/" not in each.judge:
        yield find.error(
            f"{key}.judge",
            got=shown(each.judge),
            expected="PROVIDER/MODEL, as Inspect names it",
            fix=f"write anthropic/{shown(each.judge)[1:-1]}, or tcao/ before a model of this server",
        )
    for caution in judge_cautions(subject.plan, each.judge):
        yield find.warning(f"{key}.judge", got=caution.what, expected=caution.expected, fix=caution.fix)
    if each.is_judged and not each.rubric:
        yield find.note(
            f"{key}.rubric",
            got="no rubric",
            expected="what makes an answer right, in words",
            fix="write one, and compare the judge's grades with those of people",
        )
