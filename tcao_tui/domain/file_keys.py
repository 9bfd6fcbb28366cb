"""Where a plan names files: one table for making their paths absolute, and for naming them by content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from tcao_tui.domain.key_paths import Keys

HashField = Literal["train_file", "val_file", "score_file", "teacher_files", "application_files", "opponent_files"]

EACH = "*"
"""In a key path: every item of a list."""

FILE_KEYS: Mapping[Keys, HashField] = {
    ("training", "train_file"): "train_file",
    ("training", "val_file"): "val_file",
    ("evals", "score", "file"): "score_file",
    ("evals", "application", EACH, "file"): "application_files",
    ("evals", "application", EACH, "opponents"): "opponent_files",
    ("distill", "more_teachers", EACH, "prompts_file"): "teacher_files",
}
"""Key paths, and where the file's hash stands in `DataHashes`."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A place in nested plan values that holds the name of a file.

    Attributes:
        field: Where its hash stands.
        keys: Its key path, of a stage's file within the stage; numbers are items of lists.
        stage: Number of the stage that names it; None for the plan itself.
    """

    field: HashField
    keys: Keys
    stage: int | None
    _holder: dict[str, Any]
    _last: str

    @property
    def text(self) -> str:
        """The name as it stands there."""
        return self._holder[self._last]

    def replace(self, text: str) -> None:
        """Put another one there."""
        self._holder[self._last] = text


def named_files(values: dict[str, Any]) -> Iterator[NamedFile]:
    """Every file that nested values name, as far as they are well-formed; those of stages after the plan's own."""
    for pattern, field in FILE_KEYS.items():
        yield from _below(values, pattern, (), field, None)
    stages = values.get("stages")
    for number, stage in enumerate(cast("list[object]", stages) if isinstance(stages, list) else []):
        settings = cast("dict[str, Any]", stage).get("set") if isinstance(stage, dict) else None
        if isinstance(settings, dict):
            yield from _set_by_stage(cast("dict[str, Any]", settings), number)


def _set_by_stage(settings: dict[str, Any], stage: int) -> Iterator[NamedFile]:
    """A stage's keys are dotted, and their values may be whole sections."""
    for pattern, field in FILE_KEYS.items():
        for length in range(1, len(pattern) + 1):
            dotted = ".".join(map(str, pattern[:length]))
            if dotted in settings:
                yield from _below(settings, (dotted, *pattern[length:]), (), field, stage)


def _below(value: object, pattern: Keys, keys: Keys, field: HashField, stage: int | None) -> Iterator[NamedFile]:
    first, *rest = pattern
    if first == EACH:
        for number, item in enumerate(cast("list[object]", value) if isinstance(value, list) else []):
            yield from _below(item, tuple(rest), (*keys, number), field, stage)
    elif isinstance(value, dict):
        holder, name = cast("dict[str, Any]", value), str(first)
        if rest:
            yield from _below(holder.get(name), tuple(rest), (*keys, name), field, stage)
        elif isinstance(text := holder.get(name), str) and text:
            yield NamedFile(field, (*keys, name), stage, holder, name)
