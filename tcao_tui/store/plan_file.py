"""Plan files: `plan.yaml` with its `training-config.yaml`, read with all their problems and written with comments.

`training:` in a plan is a mapping or the path of a config file beside it; a config file alone is a plan too.
Hashing data files and judging costs are services; nothing here looks into data.
"""

from __future__ import annotations

import difflib
import json
import os
import tempfile
import types
import typing
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.store.yaml_document import Document, InvalidFile, KeyPath, Problem, dotted, read_document

PLAN_NAME = "plan.yaml"
CONFIG_NAME = "training-config.yaml"
_FILE_KEYS: tuple[KeyPath, ...] = (("training", "train_file"), ("training", "val_file"), ("evals", "score", "file"))


def read_plan(path: Path) -> Plan:
    """Read a plan file or a bare training config; data paths become absolute, from the file that names them.

    Raises:
        InvalidFile: With every problem: file, line, key path, and the nearest known key for an unknown one.
    """
    document = read_document(path.absolute())
    config = None
    values = dict(document.values)
    if _is_bare_config(values):
        document, config, values = Document(document.path, {}, {}), document, {"training": dict(values)}
    elif isinstance(reference := values.get("training"), str):
        config = _read_referenced(document, reference)
        values["training"] = dict(config.values)
    _make_paths_absolute(values, document, config)
    try:
        return Plan.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        problems = [_problem(dict(e), document, config) for e in error.errors(include_url=False, include_input=False)]
        raise InvalidFile(sorted(problems, key=lambda p: (str(p.path), p.line))) from error


def write_plan(directory: Path, plan: Plan) -> None:
    """Write `training-config.yaml` and then `plan.yaml` into `directory`, each in one piece, commented."""
    _write_atomically(directory / CONFIG_NAME, config_text(plan.training))
    _write_atomically(directory / PLAN_NAME, plan_text(plan))


def config_text(config: TrainingConfig) -> str:
    """A training config as a commented file."""
    return "".join(_commented(config, 0))


def plan_text(plan: Plan) -> str:
    """A plan as a commented file that names the training config beside it."""
    return "".join(_commented(plan, 0, replaced={"training": CONFIG_NAME}))


def _is_bare_config(values: dict[str, Any]) -> bool:
    return (
        "training" not in values
        and not (values.keys() & Plan.model_fields)
        and bool(values.keys() & TrainingConfig.model_fields)
    )


def _read_referenced(document: Document, reference: str) -> Document:
    path = document.path.parent / Path(reference).expanduser()
    if not path.is_file():
        what = f"names {reference!r}, which is no file beside this plan"
        raise InvalidFile([Problem(document.path, document.line_of(("training",)), "training", what)])
    return read_document(path)


def _make_paths_absolute(values: dict[str, Any], document: Document, config: Document | None) -> None:
    for keys in _FILE_KEYS:
        *parents, last = keys
        place: Any = values
        for key in parents:
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, dict) and isinstance(text := place.get(last), str) and text:
            base = config if config is not None and keys[0] == "training" else document
            place[last] = str(base.path.parent / Path(text).expanduser())


def _problem(error: dict[str, Any], document: Document, config: Document | None) -> Problem:
    keys: KeyPath = tuple(error["loc"])
    source, inner = document, keys
    if config is not None and keys[:1] == ("training",):
        source, inner = config, keys[1:]
    what = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        what = "unknown key" + _did_you_mean(keys)
    elif error["type"] == "missing":
        what = "is missing"
    return Problem(source.path, source.line_of(inner), dotted(keys), what)


def _did_you_mean(keys: KeyPath) -> str:
    *parents, unknown = keys
    here = _model_at(tuple(parents))
    near = difflib.get_close_matches(str(unknown), here.model_fields if here else (), n=1)
    if near:
        return f"; did you mean {near[0]}?"
    places = [("training", TrainingConfig), ("evals", EvalPlan), ("evals.score", ScoreSpec), ("", Plan)]
    for prefix, model in places:
        if unknown in model.model_fields:
            return f"; it belongs {f'under {prefix}' if prefix else 'at the top'}"
    return f"; known keys: {', '.join(here.model_fields)}" if here else ""


def _model_at(keys: KeyPath) -> type[BaseModel] | None:
    model: type[BaseModel] | None = Plan
    for key in keys:
        field = model.model_fields.get(str(key)) if model else None
        model = _model_of(field.annotation) if field else None
    return model


def _model_of(annotation: object) -> type[BaseModel] | None:
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    return next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)


def _commented(model: BaseModel, depth: int, replaced: dict[str, str] | None = None) -> list[str]:
    indent = "  " * depth
    lines: list[str] = []
    for name, field in type(model).model_fields.items():
        value = (replaced or {}).get(name, getattr(model, name))
        if field.description:
            lines.append(f"{indent}# {field.description}\n")
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:\n", *_commented(value, depth + 1)]
        else:
            lines.append(f"{indent}{name}: {_scalar(value)}\n")
    return lines


def _scalar(value: object) -> str:
    plain = str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
    # Double quotes survive every reader: no text is taken for a number, a date or a yes.
    style = '"' if plain and isinstance(plain, str | list) else None
    text: str = yaml.safe_dump(
        plain, default_style=style, default_flow_style=True, width=2**31, allow_unicode=True, explicit_end=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _write_atomically(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
