"""Measures what the gates need of a plan and do not know yet: files, overlaps, the server's models, what is installed.

What cannot be measured is no error here: it is remembered with its reason, and the gates stay open or fail by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.domain.checks.staged import subjects
from tcao_tui.domain.checks.subject import Comparison, Inspection, Subject, missing_comparisons, missing_inspections
from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.domain.data_profile import DataProfile, Overlap
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_code import named_code
from tcao_tui.errors import TcaoError
from tcao_tui.services.backends import Profile


@dataclass(frozen=True, slots=True)
class Sources:
    """What measures; tests pass fakes.

    Attributes:
        inspect: `services.inspection.inspect`.
        overlap: `services.inspection.overlap`.
        capabilities: `services.models.capabilities`, of a backend's profile.
        code: `services.user_code.code_hash`.
        graders, methods: Names of what is installed.
    """

    inspect: Callable[..., DataProfile]
    overlap: Callable[..., Overlap]
    capabilities: Callable[[Profile], Capabilities]
    code: Callable[[str], CodeHash]
    graders: Callable[[], list[str]]
    methods: Callable[[], list[str]]


def sources() -> Sources:
    """What measures in production."""
    from tcao_tui.graders import GRADERS
    from tcao_tui.methods import METHODS
    from tcao_tui.services import inspection, models, user_code

    return Sources(
        inspection.inspect,
        inspection.overlap,
        models.capabilities,
        user_code.code_hash,
        GRADERS.names,
        METHODS.names,
    )


def installed(known: Facts, measure: Sources) -> Facts:
    """`known` with the graders and methods of this installation; what could not be measured before is forgotten."""
    found = {"graders": tuple(measure.graders()), "methods": tuple(measure.methods()), "missing": {}}
    return known.model_copy(update=found)


def gather(plan: Plan, known: Facts, measure: Sources) -> Facts:
    """`known` with all that the gates need of the plan's files; what is known already is not measured again.

    Args:
        plan: Need not be resolved.
        known: With the server's models, where they are known: tokens are counted by the plan's model.
        measure: What measures.
    """
    facts = known
    for stage in subjects(plan, facts):
        for wanted in missing_inspections(replace(stage, facts=facts)):
            facts = _inspected(replace(stage, facts=facts), wanted, measure)
        for pair in missing_comparisons(replace(stage, facts=facts)):
            facts = _compared(facts, pair, measure)
        for module in dict.fromkeys(code.module for code in named_code(stage.plan)):
            facts = _looked_for(facts, module, measure)
    return facts


def without(facts: Facts, what: str, reason: str) -> Facts:
    """`facts` with the reason why something cannot be measured."""
    return facts.model_copy(update={"missing": {**facts.missing, what: reason}})


def _inspected(subject: Subject, wanted: Inspection, measure: Sources) -> Facts:
    path = wanted.file.path
    try:
        profile = measure.inspect(
            path,
            fields=wanted.file.field_map,
            model=subject.model if wanted.with_tokens else None,
            renderer=subject.renderer,
            max_seq_len=subject.config.max_seq_len,
        )
    except TcaoError as error:
        return without(subject.facts, str(path), error.what)
    return subject.facts.with_fact(profile)


def _looked_for(facts: Facts, module: str, measure: Sources) -> Facts:
    """Looked for each time, since code is quick to read and quick to change."""
    try:
        return facts.with_fact(measure.code(module))
    except TcaoError as error:
        return without(facts, module, error.what)


def _compared(facts: Facts, pair: Comparison, measure: Sources) -> Facts:
    left, right = pair.left.path, pair.right.path
    try:
        found = measure.overlap(left, right, left_fields=pair.left_fields, right_fields=pair.right_fields)
    except TcaoError as error:
        return without(facts, str(right), error.what)
    return facts.with_fact(found)
