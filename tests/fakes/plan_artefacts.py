"""A plan that may be approved, with its sheet and measurements, and the files that it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tcao_tui.domain.draft import Draft, Filled
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.planning import sheet_of
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.artefacts.write import write_artefacts
from tests.fakes import known_facts


def you(**values: Any) -> dict[str, Filled]:
    return {path.replace("__", "."): Filled(value=value, by="you") for path, value in values.items()}


def good_draft(**more: Filled) -> Draft:
    said = you(
        goal="File messages as JSON.",
        training__base_model="lab/small-1b",
        training__train_file=str(known_facts.TRAIN),
        training__val_file=str(known_facts.VAL),
        training__max_seq_len=512,
        evals__score__file=str(known_facts.SCORE),
        success__threshold=0.9,
        budget__max_cost_usd=20.0,
    )
    return {**said, **more}


def ready(facts: Facts | None = None, **more: Filled) -> tuple[Plan, PlanSheet, Facts]:
    facts = facts or known_facts.facts()
    sheet = sheet_of(good_draft(**more), facts)
    assert sheet.plan is not None, sheet.gates
    return sheet.plan, sheet, facts


def written(directory: Path, plan: Plan, sheet: PlanSheet, facts: Facts) -> dict[str, str]:
    return {str(p.relative_to(directory)): p.read_text() for p in write_artefacts(directory, plan, sheet, facts)}
