"""The validator: one function that says everything that keeps a plan from being approved."""

from __future__ import annotations

from tcao_tui.domain.draft import Draft
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.sheet import PlanSheet


def check(draft: Draft, facts: Facts) -> PlanSheet:
    """Judge a completed draft by all gates."""
    return PlanSheet(draft, None, (), None, None, None)
