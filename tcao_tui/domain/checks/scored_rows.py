"""What rows that answers are graded by must be: readable, unchanged, with wanted answers, and not trained on."""

from __future__ import annotations

from tcao_tui.domain.checks.files import check_file, check_kind, why_unknown
from tcao_tui.domain.checks.findings import Finder, Judged
from tcao_tui.domain.checks.leakage import check_leakage, why_uncompared
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.plan_data import DataFile


def check_scored_rows(find: Finder, subject: Subject, file: DataFile) -> Judged:
    """Judge one file of such rows."""
    findings = [*check_file(find, subject, file), *check_leakage(find, subject, file)]
    profile = subject.profile_of(file)
    if profile is not None:
        findings += check_kind(find, file, profile, ("chat", "problem"), "with the wanted answers")
    reasons = (why_unknown(subject, file), why_uncompared(subject, file))
    return Judged(tuple(findings), "; ".join(filter(None, reasons)))
