"""One YAML file as plain values that know their line numbers, read with every limit that a hostile file needs.

Numbers and booleans follow YAML 1.2 (`1e-4` is a number, `no` is text). Aliases, tags, duplicate keys, deep nesting
and huge files are errors. What the values mean is the business of `plan_file`.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tcao_tui.domain.key_paths import Keys, dotted
from tcao_tui.errors import PlanInvalid

MAX_BYTES = 256 * 1024
_MAX_DEPTH = 12
_MAX_NODES = 20_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file; `line` counts from 1, `key` is a dotted path or empty."""

    path: Path
    line: int
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.key + ': ' if self.key else ''}{self.what}"


class InvalidFile(PlanInvalid):
    """A plan or config file with all its problems, in the order of the file."""

    def __init__(self, problems: list[Problem], *, next_step: str = "") -> None:
        first = problems[0]
        what = first.what if len(problems) == 1 else "\n".join([f"{len(problems)} problems", *map(str, problems)])
        where = f"{first.path}:{first.line}" if len(problems) == 1 else str(first.path)
        if len(problems) == 1 and first.key:
            what = f"{first.key}: {what}"
        super().__init__(what, where=where, next_step=next_step)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Document:
    """A read file: `values` is a mapping of plain JSON types, `lines` gives the line of each key path."""

    path: Path
    values: dict[str, Any]
    lines: dict[Keys, int]

    def line_of(self, keys: Keys) -> int:
        """Line of the longest known part of a key path, from 1."""
        for end in range(len(keys), 0, -1):
            if (line := self.lines.get(keys[:end])) is not None:
                return line
        return 1


def _core_schema() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """PyYAML's resolver table, by first character, for the scalar rules of YAML 1.2's core schema."""
    number = r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
    rules = (
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
        ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
        ("float", rf"^(?:{number}|[-+]?\.(?:inf|Inf)|\.(?:nan|NaN))$", list("-+.0123456789")),
    )
    table: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name, pattern, firsts in rules:
        for first in firsts:
            table.setdefault(first, []).append((f"tag:yaml.org,2002:{name}", re.compile(pattern)))
    return table


class _Loader(yaml.SafeLoader):
    """SafeLoader that takes `1e-4` for a number and `no` for text."""

    yaml_implicit_resolvers = _core_schema()


_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")}


def read_document(path: Path) -> Document:
    """Read one file.

    Raises:
        InvalidFile: It cannot be read, is not YAML, or uses what is refused here; says the line.
    """
    text = _read_text(path)
    try:
        _check_shape(path, text)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidFile([Problem(path, line, "", f"not YAML: {error.problem or error.context}")]) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise InvalidFile([Problem(path, line, "", f"not YAML: {error.reason}")]) from error
    if not isinstance(root, yaml.MappingNode):
        raise InvalidFile([Problem(path, 1, "", "must be a mapping of keys to values")])
    walk = _Walk(path)
    values = walk.mapping(root, ())
    if walk.problems:
        raise InvalidFile(walk.problems)
    return Document(path, values, walk.lines)


def _read_text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InvalidFile([Problem(path, 1, "", "is not a regular file")])
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidFile([Problem(path, 1, "", f"cannot be read: {error.strerror}")]) from error
    if len(raw) > MAX_BYTES:
        raise InvalidFile([Problem(path, 1, "", f"is larger than {MAX_BYTES // 1024} KB, which no plan needs")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidFile([Problem(path, line, "", "is not UTF-8 text")]) from error


def _check_shape(path: Path, text: str) -> None:
    """Refuse aliases, deep nesting and too many nodes before anything is built from them."""
    depth = nodes = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1
        nodes += isinstance(event, yaml.NodeEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise InvalidFile([Problem(path, line, "", "aliases (*name) are not read here; write the value out")])
        if depth > _MAX_DEPTH or nodes > _MAX_NODES:
            raise InvalidFile([Problem(path, line, "", "is nested too deeply or has too many values for a plan")])
        if documents > 1:
            raise InvalidFile([Problem(path, line, "", "has a second YAML document")])


class _Walk:
    """Builds plain values from nodes and notes lines, duplicate keys and foreign tags on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Keys, int] = {}
        self.problems: list[Problem] = []
        self._scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node, keys: Keys) -> object:
        self.lines.setdefault(keys, node.start_mark.line + 1)
        if node.tag not in _TAGS:
            self._problem(node, keys, f"the tag {node.tag} is not read here")
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, keys)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*keys, index)) for index, item in enumerate(node.value)]
        if node.tag == "tag:yaml.org,2002:int":
            return int(node.value) if len(node.value) <= 20 else float(node.value)
        try:
            return self._scalars.construct_object(node)
        except ValueError:
            self._problem(node, keys, "the value does not fit its tag")
            return None

    def mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "(a collection)"
            path = (*keys, key)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, keys, "a key must be a word")
            elif key in values:
                self._problem(key_node, path, f"is given twice, first on line {self.lines[path]}")
            self.lines.setdefault(path, key_node.start_mark.line + 1)
            values[key] = self.value(value_node, path)
        return values

    def _problem(self, node: yaml.Node, keys: Keys, what: str) -> None:
        self.problems.append(Problem(self.path, node.start_mark.line + 1, dotted(keys), what))
