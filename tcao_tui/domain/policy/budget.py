"""The budget: nothing to cap where nothing costs anything; a limit on money is never invented."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.policy.situation import Situation, filled


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`budget.max_cost_usd` on a free backend; only a person can say what may be spent elsewhere."""
    if not situation.is_free:
        return {}
    return {"budget.max_cost_usd": filled(None, "no limit needed: the local engine costs nothing", "local engine")}
