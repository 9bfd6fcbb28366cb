"""Key paths of the plan and what may stand at each, from the plan's own schema."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, create_model
from pydantic.fields import FieldInfo

from tcao_tui.domain.draft import KeyPath
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.errors import UsageError

_DERIVED = ("version", "data", "decisions")
_SHOWN_CHARACTERS = 60


def checked(path: KeyPath, value: object) -> JsonValue:
    """A value for a key path as JSON has it, read by the rules of the plan's schema.

    Raises:
        UsageError: The plan has no such key, and which is nearest; or the value cannot stand there, and why.
    """
    field = _field(path)
    place = create_model("Place", __config__=ConfigDict(allow_inf_nan=False), value=(field.annotation or str, field))
    try:
        return place.model_validate({"value": value}).model_dump(mode="json")["value"]
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        shown = one_line(repr(value), _SHOWN_CHARACTERS)
        raise UsageError(f"{shown}: {problem['msg']}", where=path) from error


def is_known(path: KeyPath) -> bool:
    """Whether the plan has such a key."""
    return path in known_paths()


def known_paths() -> list[KeyPath]:
    """All key paths that a person may decide."""
    return [path for path in _paths(Plan, "") if path.partition(".")[0] not in _DERIVED]


def described_paths() -> Iterator[tuple[KeyPath, str]]:
    """All key paths that a person may decide, with what each is for and, where they are few, its values."""
    for path in known_paths():
        field = _field(path)
        values = [str(one) for one in get_args(field.annotation)] if get_origin(field.annotation) is Literal else []
        choice = f" One of {', '.join(values)}." if values else ""
        yield path, f"{field.description or ''}{choice}"


def _field(path: KeyPath) -> FieldInfo:
    *parents, last = path.split(".")
    known = known_paths()
    if path not in known:
        near = get_close_matches(path, known, n=1) or [one for one in known if one.endswith(f".{last}")]
        raise UsageError(f"the plan has no {path}" + (f"; did you mean {near[0]}?" if near else ""), where=path)
    model: type[BaseModel] | None = Plan
    for key in parents:
        parent = model.model_fields.get(key) if model is not None else None
        model = None if parent is None else _section(parent.annotation)
    return (model or Plan).model_fields[last]


def _paths(model: type[BaseModel], prefix: str) -> Iterator[KeyPath]:
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        if section is None:
            yield f"{prefix}{name}"
        else:
            yield from _paths(section, f"{prefix}{name}.")


def _section(annotation: object) -> type[BaseModel] | None:
    options = getattr(annotation, "__args__", (annotation,))
    models = [one for one in options if isinstance(one, type) and issubclass(one, BaseModel)]
    return models[0] if models and getattr(annotation, "__origin__", None) is not tuple else None
