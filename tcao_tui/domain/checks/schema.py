"""Gate 1: every value is of its kind. The plan is built from its values here and nowhere else.

What is wrong is told all at once, each with its key path, what is there, what would pass and what to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from tcao_tui.domain.checks.findings import Finder, nearest, shown
from tcao_tui.domain.checks.known_keys import field_at, remedy_for
from tcao_tui.domain.draft import Draft
from tcao_tui.domain.gates import Finding, Gate
from tcao_tui.domain.key_paths import Keys, dotted
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.rules import BROKEN_RULE

_FIND = Finder(Gate.SCHEMA)

_LARGEST = 2**53
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "path": "the path of a file",
    "model": "a section of keys and values",
    "tuple": "a list",
    "finite": "a finite number",
}
_BOUNDS: dict[str, tuple[str, str]] = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "{} or less"),
    "too_long": ("max_length", "at most {} items"),
    "too_short": ("min_length", "at least {} items"),
    "string_too_short": ("min_length", "at least {} character"),
}
_ORDERS = {"too_long": "keep {}", "too_short": "give {}", "string_too_short": "write {}"}
_EXAMPLES = {
    "run_name": "my-run-1",
    "train_file": "train.jsonl",
    "learning_rate": "0.0002",
    "training": "the path of a training-config.yaml",
}
_PATTERNS = {
    "run_name": ("a letter or digit, then letters, digits, . _ or -, at most 64 in all", "write it as my-run-1"),
    "start_from": ("a path of the server, tinker://...", "name a checkpoint: `tcao show RUN` lists those of a run"),
}


def plan_of(values: Mapping[str, Any]) -> tuple[Plan | None, tuple[Finding, ...]]:
    """The plan that nested values make, or everything that keeps them from being one; never raises."""
    try:
        text = json.dumps(values, default=str)
    except (ValueError, RecursionError):
        fix = "write plain values: text, numbers, true or false, lists and sections"
        return None, (_FIND.error("", got="values that are no JSON", expected="plain values", fix=fix),)
    if huge := tuple(_huge(values, ())):
        return None, huge
    try:
        return Plan.model_validate_json(text, strict=True), ()
    except ValidationError as error:
        details = error.errors(include_url=False)
        findings = [_finding(dict(detail)) for detail in details]
        return None, tuple(sorted(findings, key=lambda finding: finding.path))


def _huge(value: object, keys: Keys) -> Iterator[Finding]:
    """Numbers that no arithmetic here is meant for: they would end as infinities."""
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, object]", value).items():
            yield from _huge(inner, (*keys, str(key)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(cast("Sequence[object]", value)):
            yield from _huge(inner, (*keys, index))
    elif isinstance(value, int) and abs(value) > _LARGEST:
        yield _FIND.error(
            dotted(keys), got=shown(value), expected=f"at most {_LARGEST:,}", fix="write a smaller number"
        )


def overlapping_keys(draft: Draft) -> tuple[Finding, ...]:
    """Key paths that hold a value although others lie below them."""
    found: list[Finding] = []
    for path in sorted(draft):
        below = [other for other in draft if other.startswith(f"{path}.")]
        value = draft[path].value
        if below and value is not None and not isinstance(value, Mapping):
            fix = f"remove either {path} or {shown(below[0])}"
            expected = "a section, since keys below it are given"
            found.append(_FIND.error(path, got=shown(value), expected=expected, fix=fix))
    return tuple(found)


def _finding(detail: dict[str, Any]) -> Finding:
    keys: Keys = tuple(detail["loc"])
    kind, context = str(detail["type"]), dict(detail.get("ctx") or {})
    got = shown(detail["input"])
    if kind == BROKEN_RULE:
        keys = (*keys, *filter(None, context["key"].split(".")))
        got, expected, fix = context["what"], context["expected"], context["fix"]
    elif kind == "extra_forbidden":
        remedy = remedy_for(keys)
        got, expected, fix = "unknown key", remedy.expected, remedy.fix
    elif kind == "missing":
        got, expected, fix = "is missing", _about(keys) or "a value", f"add {dotted(keys)}{_as_in(keys)}"
    else:
        expected, fix = _remedy(kind, keys, detail, context)
    return _FIND.error(dotted(keys), got=got, expected=expected, fix=fix)


def _remedy(kind: str, keys: Keys, detail: dict[str, Any], context: dict[str, Any]) -> tuple[str, str]:
    if kind == "literal_error":
        return _choice(detail["input"], str(context["expected"]))
    if kind in _BOUNDS:
        name, wording = _BOUNDS[kind]
        bound = context[name]
        expected = wording.format(f"{bound:g}" if isinstance(bound, float) else bound)
        return expected, _ORDERS.get(kind, "set it to {}").format(expected)
    last = str(keys[-1]) if keys else ""
    if kind == "string_pattern_mismatch" and last in _PATTERNS:
        return _PATTERNS[last]
    expected = _KINDS.get(kind.partition("_")[0], one_line(str(detail["msg"])))
    return expected, f"write {expected}{_as_in(keys)}"


def _choice(value: object, expected: str) -> tuple[str, str]:
    options = [option.strip("'") for option in expected.replace(" or ", ", ").split(", ")]
    near = nearest(value, options) if isinstance(value, str) else []
    return f"one of {', '.join(options)}", f"write {near[0] if near else options[0]}"


def _about(keys: Keys) -> str:
    field = field_at(keys)
    return (field.description or "").rstrip(".") if field is not None else ""


def _as_in(keys: Keys) -> str:
    """An example, for what people forget most."""
    example = _EXAMPLES.get(str(keys[-1]) if keys else "")
    return f", such as {example}" if example else ""
