"""What the gates say of further evals and their judges."""

from __future__ import annotations

from typing import Any

import pytest

from tcao_tui.domain.checks.plan_check import check
from tcao_tui.domain.draft import flat
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.judges import same_family
from tests.fakes import known_facts as known

ROWS = {"name": "style", "file": str(known.SCORE), "grader": "exact"}


def findings(*evals: dict[str, Any], **changes: Any) -> list[Finding]:
    sheet = check(flat(known.values({"evals.application": list(evals), **changes})), known.facts())
    return [finding for gate in sheet.gates for finding in gate.findings if "application" in finding.path]


def test_good_ones_keep_a_plan_ready_and_bind_it_to_their_rows() -> None:
    sheet = check(flat(known.values({"evals.application": [ROWS]})), known.facts())
    assert sheet.is_ready
    assert sheet.plan is not None
    assert sheet.plan.data.application_files == (sheet.plan.data.score_file,)
    plain = check(flat(known.values()), known.facts())
    assert sheet.approval_hash != plain.approval_hash


@pytest.mark.parametrize(
    ("change", "key", "severity", "fix"),
    [
        ({"grader": "exakt"}, "grader", "error", "exact"),
        ({"name": "score"}, "name", "error", "rename"),
        ({"kind": "inspect", "entry": "ours"}, "file", "error", ".py"),
        ({"grader": "model", "judge": "claude"}, "judge", "error", "anthropic/claude"),
        ({"grader": "model", "judge": "tcao/lab/small-8b"}, "judge", "warning", "another judge"),
        ({"grader": "model", "judge": "anthropic/claude-x"}, "rubric", "note", "write one"),
    ],
)
def test_what_is_wrong_is_told_with_its_key_and_a_fix(
    change: dict[str, Any], key: str, severity: str, fix: str
) -> None:
    found = [(f.path, f.severity, f.fix) for f in findings({**ROWS, **change})]
    assert [f for f in found if f[:2] == (f"evals.application[0].{key}", severity) and fix in f[2]], found


def test_rows_that_are_trained_on_are_told() -> None:
    told = findings({**ROWS, "file": str(known.TRAIN)})
    assert any(f.severity == "error" and "training.train_file" in f.got for f in told)


def test_success_may_be_what_one_of_them_measures() -> None:
    sheet = check(flat(known.values({"evals.application": [ROWS], "success.metric": "style"})), known.facts())
    assert sheet.is_ready


def test_kin_are_known_by_their_names() -> None:
    assert same_family("Qwen/Qwen3-8B", "openrouter/qwen/qwen2.5-72b")
    assert not same_family("Qwen/Qwen3-8B", "anthropic/claude-sonnet-4-5")
