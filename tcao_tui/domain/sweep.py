"""A sweep: one plan with some values varied, each combination a whole plan of its own. Pure.

Comparing the cells is `sweep_table`; launching them is `services.sweep`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import typing
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tcao_tui.domain.checks.findings import shown
from tcao_tui.domain.checks.known_keys import field_at, remedy_for
from tcao_tui.domain.checks.schema import plan_of
from tcao_tui.domain.draft import flat
from tcao_tui.domain.file_keys import named_files
from tcao_tui.domain.key_paths import Keys, undotted
from tcao_tui.domain.plan import Plan
from tcao_tui.errors import PlanInvalid, UsageError

MOST_CELLS = 64
"""More than this is a typing error more often than a plan."""

NAME_PATTERN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,58}$")
"""Names of sweeps; the number of a cell is added to make the name of its run."""

STEPS_KEY = "training.num_steps"
_OURS = ("training", "training.run_name")
_OURS_WHOLE = ("data", "stage_data", "decisions", "version")

type Overrides = tuple[tuple[str, Any], ...]
"""Key paths with their values, in the order in which they were given."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination; `index` counts from 1."""

    index: int
    overrides: Overrides
    plan: Plan


def parse_setting(text: str) -> tuple[str, tuple[Any, ...]]:
    """`training.lora_rank=8,32` as key path and values; values are JSON, and text where they are not.

    Raises:
        UsageError: There is no `=`, no value, or the same value twice.
    """
    path, equals, listed = text.partition("=")
    if not (path.strip() and equals and listed.strip()):
        raise UsageError(f"{text!r} is no setting", next_step="--set training.learning_rate=1e-4,3e-4")
    values = _values(listed)
    for value in values:
        if values.count(value) > 1:
            raise UsageError(f"{path.strip()} has the value {shown(value)} twice", next_step="give each value once")
    return path.strip(), values


def _values(listed: str) -> tuple[Any, ...]:
    try:
        return tuple(json.loads(f"[{listed}]"))
    except ValueError:
        return tuple(_value(part.strip()) for part in listed.split(","))


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def grid(settings: Sequence[tuple[str, Sequence[Any]]]) -> tuple[Overrides, ...]:
    """Every combination of the values, the last setting varying fastest.

    Raises:
        UsageError: A key path is given twice, or there are more than `MOST_CELLS` combinations.
    """
    paths = [path for path, _ in settings]
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError(f"{path} is given twice", next_step=f"--set {path}=VALUE,VALUE names all of its values")
    count = 1
    for _, values in settings:
        count *= len(values)
    _require_few(count)
    return tuple(tuple(zip(paths, chosen, strict=True)) for chosen in itertools.product(*(v for _, v in settings)))


def listed(rows: object) -> tuple[Overrides, ...]:
    """Cells as a file lists them: each a mapping of key paths, dotted or nested, to values.

    Raises:
        UsageError: It is no list of mappings, or there are more than `MOST_CELLS`.
    """
    if not isinstance(rows, list) or not rows:
        raise UsageError("a list of cells is wanted", next_step="cells:\n  - {training.learning_rate: 1e-4}")
    found: list[Overrides] = []
    for number, row in enumerate(cast("list[object]", rows), 1):
        if not isinstance(row, Mapping) or not row:
            raise UsageError(f"cell {number} is {shown(row)}, which is no mapping of key paths to values")
        leaves = flat(cast("Mapping[str, Any]", row))
        found.append(tuple((path, filled.value) for path, filled in leaves.items()))
    _require_few(len(found))
    return tuple(found)


def _require_few(count: int) -> None:
    if count > MOST_CELLS:
        raise UsageError(f"that makes {count} cells; at most {MOST_CELLS} are run", next_step="give fewer values")


def expand(
    base: Mapping[str, Any], overrides: Sequence[Overrides], *, name: str, files_from: Path | None = None
) -> tuple[Cell, ...]:
    """The cells of a sweep as plans, each with a run name of its own.

    Args:
        base: The plan's values, nested as in its file.
        overrides: What each cell changes.
        name: Of the sweep.
        files_from: Where relative paths of data files that cells name start; None leaves them as they are.

    Raises:
        UsageError: The name or a key path is none, or two cells are the same.
        PlanInvalid: A cell makes no plan; names each problem with the cell.
    """
    if not NAME_PATTERN.match(name):
        raise UsageError(f"{name!r} cannot name a sweep", next_step="--name takes letters, digits, . _ -, at most 59")
    _require_few(len(overrides))
    places = {path: _place(path) for path in dict.fromkeys(path for cell in overrides for path, _ in cell)}
    cells: list[Cell] = []
    seen: dict[str, int] = {}
    keys = varied(overrides)
    for index, changes in enumerate(overrides, 1):
        values = deepcopy(dict(base))
        for path, value in changes:
            _put(values, places[path], value, path)
        if files_from is not None:
            for named in named_files(values):
                named.replace(str(files_from / Path(named.text).expanduser()))
        twin = seen.setdefault(json.dumps(values, sort_keys=True, default=str), index)
        if twin != index:
            raise UsageError(f"cells {twin} and {index} are the same: {words(changes, keys)}")
        _put(values, ("training", "run_name"), cell_name(name, index), "training.run_name")
        cells.append(Cell(index, changes, _plan(values, f"cell {index} ({words(changes, keys)})")))
    return tuple(cells)


def cell_name(sweep: str, index: int) -> str:
    """Name of a cell's run."""
    return f"{sweep}-{index:02d}"


def varied(cells: Sequence[Overrides]) -> tuple[str, ...]:
    """Key paths that cells differ in, in the order in which they were given; all of them when none differs."""
    paths = dict.fromkeys(path for cell in cells for path, _ in cell)
    differing = [path for path in paths if len({repr(dict(cell).get(path)) for cell in cells}) > 1]
    return tuple(differing or paths)


def words(overrides: Overrides, keys: Sequence[str]) -> str:
    """`learning_rate 0.0001, lora_rank 8`: what a cell says to some key paths, by the last part of each."""
    return ", ".join(f"{short_key(path)} {value_text(value)}" for path, value in overrides if path in keys)


def short_key(path: str) -> str:
    """The last part of a key path, which mostly says enough."""
    return path.rpartition(".")[2] or path


def value_text(value: object) -> str:
    """A swept value as people write it."""
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else shown(value)


def sweep_hash(cell_hashes: Sequence[str]) -> str:
    """What consent to a whole sweep is bound to: the approval hashes of all of its cells; 16 hex digits."""
    return hashlib.sha256("\n".join(cell_hashes).encode()).hexdigest()[:16]


def shares(total_usd: float, expected_usd: Sequence[float | None]) -> tuple[float, ...]:
    """A cap on all cells, shared out by what each is expected to cost; evenly where that is not known. USD."""
    known = [usd for usd in expected_usd if usd is not None]
    whole = sum(known)
    if len(known) < len(expected_usd) or not whole > 0:
        return tuple(total_usd / len(expected_usd) for _ in expected_usd)
    return tuple(total_usd * (usd / whole) for usd in known)


def _place(path: str) -> Keys:
    """The keys of a path, checked against what a plan may have; below a free mapping the rest is one key."""
    keys = undotted(path)
    if not keys or path in _OURS or keys[0] in _OURS_WHOLE:
        raise UsageError(f"{path!r} cannot be swept", where="--set", next_step="name a value such as training.seed")
    for end in range(1, len(keys) + 1):
        if isinstance(keys[end - 1], int):
            continue
        field = field_at(keys[:end])
        if field is None:
            remedy = remedy_for(keys[:end])
            what = f"a plan has no key {path}; expected {remedy.expected}"
            raise UsageError(what, where="--set", next_step=remedy.fix.replace("remove it", "name one of these"))
        if typing.get_origin(field.annotation) is dict and end < len(keys):
            return (*keys[:end], ".".join(str(key) for key in keys[end:]))
    return keys


def _put(values: dict[str, Any], keys: Keys, value: object, path: str) -> None:
    place: object = values
    for key, below in itertools.pairwise(keys):
        match place, key:
            case dict(), str():
                sections: dict[str, Any] = place
                if sections.get(key) is None and isinstance(below, str):
                    sections[key] = {}
                place = sections.get(key)
            case list(), int():
                place = dict(enumerate(cast("list[Any]", place))).get(key)
            case _:
                place = None
    match place, keys[-1]:
        case dict(), str(last):
            cast("dict[str, Any]", place)[last] = deepcopy(value)
        case list(), int(last) if last < len(cast("list[Any]", place)):
            cast("list[Any]", place)[last] = deepcopy(value)
        case _:
            raise UsageError(f"the plan holds nothing that {path} could be a part of", where="--set")


def _plan(values: dict[str, Any], which: str) -> Plan:
    plan, findings = plan_of(values)
    if plan is None:
        lines = [f"{finding.path}: {finding.got}; expected {finding.expected}" for finding in findings]
        raise PlanInvalid("\n".join(lines), where=which, next_step=findings[0].fix if findings else "")
    return plan
