from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tcao_tui.domain.checks.plan_check import check
from tcao_tui.domain.draft import flat
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.sheet import PlanSheet
from tests.fakes import known_facts as known

FOLDER = Path(__file__).parent / "broken_plans"
CASES: list[dict[str, Any]] = [
    case for path in sorted(FOLDER.glob("*.yaml")) for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
QUOTES = {"free": known.FREE, "paid": known.PAID, "unknown": known.UNKNOWN}


def plan_with(*changes: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for change in changes:
        merged |= change
    return known.values({path: ... if value == "<remove>" else value for path, value in merged.items()})


def facts_of(wanted: dict[str, Any]) -> Facts:
    train = known.profile(
        known.TRAIN, 2000, **{"tokens": known.tokens(**wanted.get("tokens", {}))} | wanted.get("train", {})
    )
    files = ((known.VAL, 100, "val"), (known.SCORE, 200, "score"))
    model = known.model(**{"price": QUOTES[wanted.get("quote", "paid")]} | wanted.get("model", {}))
    return known.facts(
        profiles=(train, *(known.profile(path, rows, **wanted.get(name, {})) for path, rows, name in files)),
        overlaps=tuple(known.overlap(path, rows, **wanted.get(f"overlap_{name}", {})) for path, rows, name in files),
        capabilities=known.capabilities(
            model, known.model("lab/large-8b"), known.model("lab/sampler", trainable=False)
        ),
        missing=wanted.get("missing", {}),
    )


def found(sheet: PlanSheet, case: dict[str, Any]) -> list[Finding]:
    severity = case.get("severity", "error")
    return [
        finding
        for gate in sheet.gates
        for finding in gate.findings
        if (str(finding.gate), finding.severity, finding.path) == (case["gate"], severity, case["path"])
        and case["fix"] in finding.fix
        and case.get("where", finding.where) == finding.where
    ]


def test_there_are_enough_of_them_and_each_once() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_broken_plan_is_told_with_gate_path_and_fix_and_the_fix_helps(case: dict[str, Any]) -> None:
    broken = check(flat(plan_with(case.get("break", {}))), facts_of(case.get("facts", {})))
    told = [f"{f.gate} {f.severity} {f.path} at {f.where}: {f.fix}" for gate in broken.gates for f in gate.findings]
    assert found(broken, case), "\n".join(told)
    is_error = case.get("severity", "error") == "error"
    assert broken.is_ready is not is_error
    if "repair" not in case and "mend" not in case:
        return
    facts = case["mend"] if "mend" in case else case.get("facts", {})
    repaired = check(flat(plan_with(case.get("break", {}), case.get("repair", {}))), facts_of(facts))
    assert not found(repaired, case)
    assert not [
        f for gate in repaired.gates for f in gate.findings if f.severity == "error" and str(f.gate) == case["gate"]
    ]


def test_the_good_plan_passes_every_gate_and_may_be_approved() -> None:
    sheet = check(flat(known.values()), known.facts())
    assert {str(gate.gate): gate.status for gate in sheet.gates} == {
        **dict.fromkeys(("schema", "combinations", "data", "capability", "evals", "cost"), "pass"),
        "approval": "open",
    }
    assert sheet.approval_hash is not None
    assert sheet.approval_hash in sheet.gates[-1].why_open
