"""How the process of a cell that Inspect does not carry out is told what to do, and how it tells what it found.

It is given the path of a `Job` as JSON and appends `Line`s to `RESULTS` in the job's directory, each written whole and
flushed before the next answer is asked for. Started again, it reads its own lines and goes on with what is missing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tcao_tui.domain.evaluation import Counts, EvalTask, ItemResult, Subject, Usage

RESULTS = "results.jsonl"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Job(_Part):
    """One task over one subject."""

    task: EvalTask
    subject: Subject
    profile: str
    directory: Path


class Found(_Part):
    """Results of items, what they took and what is done so far; `usage` is of this line only."""

    kind: Literal["found"] = "found"
    items: tuple[ItemResult, ...]
    counts: Counts
    usage: Usage


class Ended(_Part):
    """All is done; `numbers` are of the whole cell."""

    kind: Literal["ended"] = "ended"
    numbers: dict[str, float] = {}


class GaveUp(_Part):
    """It cannot go on; for a person."""

    kind: Literal["gave_up"] = "gave_up"
    problem: str
    next_step: str = ""


type Line = Annotated[Found | Ended | GaveUp, Field(discriminator="kind")]


def parse_line(text: bytes) -> Line | None:
    """A line as it was told; None for one that death cut off or that this version does not know."""
    try:
        return _lines().validate_json(text)
    except ValidationError:
        return None


@cache
def _lines() -> TypeAdapter[Line]:
    return TypeAdapter(Line)
