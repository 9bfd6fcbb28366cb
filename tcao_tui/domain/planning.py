"""From what was said to what may be approved: policy completes the draft, the checks judge it. Pure and repeatable."""

from __future__ import annotations

from tcao_tui.domain.checks.plan_check import check
from tcao_tui.domain.draft import Draft
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.policy.complete import complete
from tcao_tui.domain.sheet import PlanSheet


def sheet_of(draft: Draft, facts: Facts) -> PlanSheet:
    """The plan as it stands: the same draft and facts always give the same sheet and the same approval hash."""
    return check(complete(draft, facts), facts)
