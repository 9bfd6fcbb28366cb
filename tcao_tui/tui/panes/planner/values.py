"""Plain JSON values in words, and text that a person typed as a value of the plan. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tcao_tui.domain.plain_text import one_line

_FEW = 4


def value_text(value: object, width: int = 0) -> str:
    """A value on one line: `yes`, `32`, `0.0001`, `a, b`, `name: x, limit: 100`; nothing is a dash."""
    return one_line(_text(value), width)


def _text(value: object) -> str:
    match value:
        case None | "" | [] | ():
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case str() | int():
            return str(value)
        case Mapping():
            pairs = cast("Mapping[str, Any]", value)
            return ", ".join(f"{key}: {_text(each)}" for key, each in pairs.items() if each not in (None, ""))
        case Sequence():
            items = [_named(each) for each in cast("Sequence[Any]", value)]
            more = f" and {len(items) - _FEW} more" if len(items) > _FEW else ""
            return ", ".join(items[:_FEW]) + more
        case _:
            return str(value)


def _named(item: object) -> str:
    """An item of a list by its name, where it has one, as benchmarks do."""
    if isinstance(item, Mapping):
        name = cast("Mapping[str, Any]", item).get("name")
        if isinstance(name, str):
            return name.rpartition("/")[2]
    return _text(item)


def json_lines(value: object) -> list[str]:
    """A JSON value, indented, for an expanded tool; what JSON does not know is shown as text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str).split("\n")


def value_key(value: object) -> str:
    """A value as text that equal values share, so that lists and mappings can be looked up."""
    return json.dumps(value, sort_keys=True, default=str)
