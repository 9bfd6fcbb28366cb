"""Plan files: `plan.yaml` with its `training-config.yaml`, read with all their problems and written with comments.

`training:` in a plan is a mapping or the path of a config file beside it; a config file alone is a plan too.
Hashing data files and judging costs are services; nothing here looks into data.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel

from tcao_tui.domain.checks.schema import plan_of
from tcao_tui.domain.file_keys import named_files
from tcao_tui.domain.key_paths import undotted
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.yaml_document import Document, InvalidFile, Problem, read_document

PLAN_NAME = "plan.yaml"
CONFIG_NAME = "training-config.yaml"


@dataclass(frozen=True, slots=True)
class PlanValues:
    """A plan file as plain values, before anybody judges them.

    Attributes:
        values: Nested as the plan is, the training config filled in, data paths absolute.
        document: The plan file; without lines where a training config stands alone.
        config: The training config, where it is a file of its own.
    """

    values: dict[str, Any]
    document: Document
    config: Document | None = None

    def place_of(self, key: str) -> tuple[Path, int]:
        """File and line, from 1, of a dotted key path, or of the part of it that is there."""
        keys = undotted(key)
        if self.config is not None and keys[:1] == ("training",):
            return self.config.path, self.config.line_of(keys[1:])
        return self.document.path, self.document.line_of(keys)


def read_values(path: Path) -> PlanValues:
    """Read a plan file or a bare training config; data paths become absolute, from the file that names them.

    Raises:
        InvalidFile: It cannot be read as YAML, or names a training config that is not there.
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
    return PlanValues(values, document, config)


def read_plan(path: Path) -> Plan:
    """Read a plan file or a bare training config as a plan.

    Raises:
        InvalidFile: With every problem: file, line, key path, and the nearest known key for an unknown one.
    """
    read = read_values(path)
    plan, findings = plan_of(read.values)
    if plan is None:
        problems = [Problem(*read.place_of(f.path), f.path, f"{f.got}: {f.fix}") for f in findings]
        raise InvalidFile(sorted(problems, key=lambda p: (str(p.path), p.line)))
    return plan


def write_plan(directory: Path, plan: Plan) -> None:
    """Write `training-config.yaml` and then `plan.yaml` into `directory`, each in one piece, commented."""
    write_text(directory / CONFIG_NAME, config_text(plan.training))
    write_text(directory / PLAN_NAME, plan_text(plan))


def config_text(config: TrainingConfig) -> str:
    """A training config as a commented file."""
    return "".join(_commented(config, 0))


def plan_text(plan: Plan, *, in_one_file: bool = False) -> str:
    """A plan as a commented file that names the training config beside it, or holds it."""
    return "".join(_commented(plan, 0, replaced={} if in_one_file else {"training": CONFIG_NAME}))


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
    for named in named_files(values):
        in_config = config is not None and named.stage is None and named.keys[0] == "training"
        base = config if config is not None and in_config else document
        named.replace(str(base.path.parent / Path(named.text).expanduser()))


def _commented(
    model: BaseModel, depth: int, *, replaced: dict[str, str] | None = None, explain: bool = True
) -> list[str]:
    indent = "  " * depth
    lines: list[str] = []
    for name, field in type(model).model_fields.items():
        value = (replaced or {}).get(name, getattr(model, name))
        if field.description and explain:
            lines.append(f"{indent}# {field.description}\n")
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:\n", *_commented(value, depth + 1, explain=explain)]
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            lines += [f"{indent}{name}:\n", *_listed(cast("tuple[BaseModel, ...]", value), depth + 1)]
        else:
            lines.append(f"{indent}{name}: {scalar_text(value)}\n")
    return lines


def _listed(models: tuple[BaseModel, ...], depth: int) -> list[str]:
    """Sections as a YAML list; only the first explains its fields."""
    lines: list[str] = []
    for index, model in enumerate(models):
        first, *rest = _commented(model, depth + 1, explain=index == 0)
        lines += [f"{'  ' * depth}- {first.lstrip()}", *rest]
    return lines


def scalar_text(value: object) -> str:
    """A value on one line of YAML: plain values, tuples and lists, paths."""
    plain = str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
    # Double quotes survive every reader: no text is taken for a number, a date or a yes.
    style = '"' if plain and isinstance(plain, str | list) else None
    text: str = yaml.safe_dump(
        plain, default_style=style, default_flow_style=True, width=2**31, allow_unicode=True, explicit_end=False
    )
    return text.removesuffix("\n").removesuffix("\n...")
