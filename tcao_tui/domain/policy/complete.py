"""Fills in what nobody decided: one function that both planners, the plan check and the console use."""

from __future__ import annotations

from tcao_tui.domain.draft import Draft
from tcao_tui.domain.facts import Facts


def complete(draft: Draft, facts: Facts) -> Draft:
    """The draft with everything that policy can decide, each with reason and source; what is there is kept."""
    return draft
