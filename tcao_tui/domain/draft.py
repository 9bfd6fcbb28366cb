"""A plan in the making: values by key path, each with who said so and why. The plan is derived from it, never edited.

What is stored is only what a person, the data or a model said; `policy` fills in the rest anew each time, so that a
changed rank moves everything that depends on it and nothing that somebody decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict

Provenance = Literal["you", "data", "policy", "model"]
"""Who a value comes from: the person, a measurement of the data, our rules, or the LLM planner."""

type KeyPath = str
"""Dotted path in the plan file, such as `training.lora_rank`."""


class Alternative(BaseModel):
    """Another value that was considered, and what speaks for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Any
    label: str
    why: str = ""


class Filled(BaseModel):
    """A value with its origin.

    Attributes:
        value: Plain JSON value.
        by: Who it comes from.
        reason: Why this one, a sentence with the numbers that decided.
        source: Where the rule or number comes from, such as "cookbook hyperparam_utils.get_lr".
        alternatives: What else was considered, best first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Any
    by: Provenance
    reason: str = ""
    source: str = ""
    alternatives: tuple[Alternative, ...] = ()


type Draft = Mapping[KeyPath, Filled]


def nested(draft: Draft) -> dict[str, Any]:
    """The draft as the plan file has it: `{"training": {"lora_rank": 32, ...}, ...}`.

    Where a path holds a value and other paths lie below it, those below win; the schema gate tells of it.
    """
    tree: dict[str, Any] = {}
    for path in sorted(draft):
        *parents, last = path.split(".")
        place = tree
        for key in parents:
            below = place.get(key)
            if not isinstance(below, dict):
                below = place[key] = {}
            place = cast("dict[str, Any]", below)
        place[last] = deepcopy(draft[path].value)
    return tree


def flat(values: Mapping[str, Any], *, by: Provenance = "you", source: str = "") -> dict[KeyPath, Filled]:
    """A plan file's values as a draft; lists and empty sections stay whole."""
    return {path: Filled(value=value, by=by, source=source) for path, value in _leaves(values, "")}


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(cast("Mapping[str, Any]", value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
