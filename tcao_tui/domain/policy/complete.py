"""Fills in what nobody decided: one function that both planners, the plan check and the console use."""

from __future__ import annotations

from tcao_tui.domain.draft import Draft, Filled
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.policy import (
    base_model,
    benchmarks,
    budget,
    course,
    data_fields,
    learning_rate,
    lengths,
    lora,
    method,
    method_section,
    renderer,
    run_name,
    schedule,
    score,
    success,
    trained_tokens,
    use_case,
)
from tcao_tui.domain.policy.affordable import STEPS, steps_within_budget
from tcao_tui.domain.policy.situation import Decide, Situation

DECISIONS: tuple[Decide, ...] = (
    data_fields.decide,
    use_case.decide,
    method.decide,
    base_model.decide,
    renderer.decide,
    trained_tokens.decide,
    method_section.decide,
    lora.decide,
    learning_rate.decide,
    lengths.decide,
    schedule.decide_updates,
    schedule.decide_cadence,
    course.decide,
    score.decide,
    benchmarks.decide,
    success.decide,
    budget.decide,
    run_name.decide,
)
"""In the order in which one needs another: each sees what those before it filled in."""


def complete(draft: Draft, facts: Facts) -> Draft:
    """The draft with everything that policy can decide, each with reason and source; what is there is kept.

    Where a decision needs a fact that nobody measured yet, its key paths stay empty, and the gates say what is missing.
    """
    done = _filled_in(draft, facts)
    fewer = None if STEPS in draft else steps_within_budget(done, facts)
    return done if fewer is None else _filled_in({**draft, STEPS: fewer}, facts)


def _filled_in(draft: Draft, facts: Facts) -> Draft:
    done: dict[str, Filled] = dict(draft)
    for decide in DECISIONS:
        for path, value in decide(Situation(done.copy(), facts)).items():
            done.setdefault(path, value)
    return done
