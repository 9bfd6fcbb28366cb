"""The keys that a plan may have: what each is for, and where a key that is misspelt or misplaced belongs."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tcao_tui.domain.checks.findings import names, nearest
from tcao_tui.domain.key_paths import Keys, dotted
from tcao_tui.domain.plan import Plan


@dataclass(frozen=True, slots=True)
class Remedy:
    """What an unknown key should have been."""

    expected: str
    fix: str


def field_at(keys: Keys) -> FieldInfo | None:
    """The field of the plan at a key path, None when there is none."""
    *parents, last = keys
    section = _section_at(tuple(parents))
    return section.model_fields.get(str(last)) if section is not None else None


def remedy_for(keys: Keys) -> Remedy:
    """What to do about a key that does not exist: the nearest name in its section, else where it belongs."""
    *parents, unknown = keys
    section = _section_at(tuple(parents))
    here = list(section.model_fields) if section is not None else []
    if near := nearest(str(unknown), here, likeness=0.7):
        return Remedy(f"the key {near[0]}", f"rename it to {near[0]}")
    for prefix, other in _sections(Plan, ()):
        if str(unknown) in other.model_fields:
            place = dotted((*prefix, str(unknown)))
            return Remedy(f"the key {place}", f"move it to {place}" if prefix else "move it to the top of the plan")
    return Remedy(f"one of: {names(here, 40)}", "remove it")


def _sections(section: type[BaseModel], prefix: Keys) -> Iterator[tuple[Keys, type[BaseModel]]]:
    yield prefix, section
    for name, field in section.model_fields.items():
        if (inner := _section_of(field.annotation)) is not None:
            yield from _sections(inner, (*prefix, name))


def _section_at(keys: Keys) -> type[BaseModel] | None:
    section: type[BaseModel] | None = Plan
    for key in keys:
        if isinstance(key, int):
            continue
        field = section.model_fields.get(key) if section is not None else None
        section = _section_of(field.annotation) if field is not None else None
    return section


def _section_of(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, alone, as an option or in a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is tuple:
        return next(filter(None, map(_section_of, typing.get_args(annotation))), None)
    return None
