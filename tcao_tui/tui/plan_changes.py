"""Editing the plan by hand: text as a value, a draft as text and back, what an edit would change. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args, get_origin

import yaml
from pydantic import JsonValue

from tcao_tui.domain.draft import Draft, Filled, KeyPath
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import GateResult
from tcao_tui.domain.method_params import METHOD_PARAMS
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.planning import sheet_of
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import PlanInvalid, UsageError
from tcao_tui.planner import plan_keys

type Edits = Mapping[KeyPath, Any]
"""New values by key path; None takes a value back, so that policy decides."""

_HEAD = """\
# Change what you like, save and leave; nothing is taken over before you saw what it changes.
# A deleted line is left to the rules. After each value: who set it, and why.
"""


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value before and after; None for none."""

    path: KeyPath
    before: Filled | None
    after: Filled | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What an edit does to the plan.

    Attributes:
        edited: Values that the person set.
        following: Values that policy sets anew because of them.
        gates: Gates whose status or findings differ, as before and after.
    """

    edited: tuple[ValueChange, ...]
    following: tuple[ValueChange, ...]
    gates: tuple[tuple[GateResult | None, GateResult], ...]


def edited(draft: Draft, edits: Edits) -> Draft:
    """The draft with values that a person set."""
    kept = {path: filled for path, filled in draft.items() if path not in edits}
    return kept | {path: Filled(value=value, by="you") for path, value in edits.items() if value is not None}


def sheet_after(draft: Draft, facts: Facts, edits: Edits) -> PlanSheet:
    """The plan as it would stand."""
    return sheet_of(edited(draft, edits), facts)


def changes_between(before: PlanSheet, after: PlanSheet, edits: Edits) -> Changes:
    """What differs, in the order of the draft."""
    paths = {**dict.fromkeys(edits), **before.draft, **after.draft}
    values = [ValueChange(path, before.draft.get(path), after.draft.get(path)) for path in paths]
    changed = [value for value in values if _value(value.before) != _value(value.after)]
    old = {result.gate: result for result in before.gates}
    gates = [(old.get(new.gate), new) for new in after.gates if _judged(old.get(new.gate)) != _judged(new)]
    direct, following = ([v for v in changed if (v.path in edits) is is_direct] for is_direct in (True, False))
    return Changes(tuple(direct), tuple(following), tuple(gates))


def _judged(result: GateResult | None) -> object:
    return None if result is None else (result.status, result.findings)


def _value(filled: Filled | None) -> object:
    return None if filled is None else filled.value


def described(path: KeyPath) -> str:
    """What the plan's schema says of a key path; empty when it knows none of this name."""
    return dict(plan_keys.described_paths()).get(path, "")


def typed_value(path: KeyPath, text: str) -> JsonValue:
    """What a person typed, as the plan's schema has it: `32` is a number for a rank and a name for a run.

    Returns:
        None for empty text, which leaves the value to the rules.

    Raises:
        UsageError: The plan has no such key, or the text cannot stand there.
    """
    if not text.strip():
        return None
    try:
        return plan_keys.checked(path, text.strip())
    except UsageError:
        return plan_keys.checked(path, _yaml(text))


def value_as_text(value: object) -> str:
    """A value as a person would type it, safe to show."""
    if value is None:
        return ""
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _yaml(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text.strip()


def draft_text(draft: Draft) -> str:
    """A draft for an editor: one `path: value  # who, why` a line."""
    lines = [_HEAD]
    for path, filled in draft.items():
        why = one_line(filled.reason)
        lines.append(
            f"{path}: {json.dumps(filled.value, ensure_ascii=False)}  # {filled.by}{f': {why}' if why else ''}"
        )
    return "\n".join(lines) + "\n"


def edits_in(text: str, draft: Draft) -> dict[KeyPath, Any]:
    """What a person changed in the text of a draft.

    Raises:
        PlanInvalid: The text is no list of `path: value`; names the line.
    """
    try:
        read: Any = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PlanInvalid(
            f"not valid YAML: {getattr(error, 'problem', None) or 'syntax error'}",
            where=f"the edited plan:{mark.line + 1}" if mark is not None else "the edited plan",
            next_step="edit again; nothing was changed",
        ) from error
    if not isinstance(read, dict):
        raise PlanInvalid("there are no `path: value` lines", where="the edited plan", next_step="edit again")
    given = {str(path): value for path, value in cast("dict[Any, Any]", read).items()}
    changed = {path: value for path, value in given.items() if path not in draft or draft[path].value != value}
    return changed | {path: None for path in draft if path not in given}


def choices_for(path: KeyPath, sheet: PlanSheet, facts: Facts) -> list[Any]:
    """Values to choose from, those that policy considered first; empty where anything may stand."""
    filled = sheet.draft.get(path)
    considered = [] if filled is None else [filled.value, *(other.value for other in filled.alternatives)]
    known: dict[KeyPath, list[Any]] = {
        "training.base_model": []
        if facts.capabilities is None
        else [model.name for model in facts.capabilities.models],
        "method": list(METHOD_PARAMS),
        "evals.score.grader": list(facts.graders),
    }
    found: list[Any] = []
    for value in [*considered, *known.get(path, _literals(_annotation(path)))]:
        if value not in found:
            found.append(value)
    return found if len(found) > 1 else []


def _annotation(path: KeyPath) -> object:
    """Type of a key path of the plan; None when it has none of this name."""
    annotation: Any = Plan
    for name in path.split("."):
        models = [each for each in (annotation, *get_args(annotation)) if hasattr(each, "model_fields")]
        field = models[0].model_fields.get(name) if models else None
        annotation = None if field is None else field.annotation
    return annotation


def _literals(annotation: object) -> list[Any]:
    """All values of a type, where they can be listed."""
    if annotation is bool:
        return [True, False]
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [value for option in get_args(annotation) for value in _literals(option)]
