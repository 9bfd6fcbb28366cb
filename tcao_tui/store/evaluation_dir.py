"""The directory of an evaluation, `runs/_evals/<id>/`: its driver's lock and log, what was asked of it, its cells.

Consoles ask by appending a line; the driver is the only one that acts. The last word counts.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tcao_tui.errors import UsageError

EVALS_DIR = "_evals"
LOG_NAME = "driver.log"
CELL_LOG_NAME = "process.log"
JOB_NAME = "job.json"
LOGS = "logs"
"""Folder of a cell that Inspect writes its logs to."""

_ASKS = "asks.jsonl"
_CELLS = "cells"
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_PART = 40

Ask = Literal["go", "drain", "cancel"]
"""Carry out every cell; let what is under way end and begin nothing more; end it now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked of an evaluation's driver; `at` is Unix seconds."""

    verb: Ask
    by: str
    at: float


def evaluation_dir(runs_root: Path, evaluation_id: str) -> Path:
    """Directory of an evaluation. Raises `UsageError` when the id is none, such as `../x`."""
    if not _ID.match(evaluation_id):
        raise UsageError(f"{evaluation_id!r} cannot be an evaluation", next_step="tcao eval ls")
    return runs_root / EVALS_DIR / evaluation_id


def cell_dir(place: Path, number: int, task: str, subject: str) -> Path:
    """Directory of a cell.

    Args:
        place: Directory of the evaluation.
        number: The cell's place in it, which tells cells apart whose names look alike.
        task: Its name, for people who look at the files.
        subject: Likewise.
    """
    parts = [_NO_NAME.sub("-", name)[-_LONGEST_PART:].strip("-.") for name in (task, subject)]
    return place / _CELLS / "-".join([f"{number:03d}", *filter(None, parts)])


def ask(place: Path, asked: Asked) -> None:
    """Ask something of the driver, be it there or not."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (place / _ASKS).open("ab") as file:
        file.write(json.dumps(asdict(asked)).encode() + b"\n")


def last_asked(place: Path) -> Asked:
    """The last word; to go on when nobody said anything that can be read."""
    try:
        lines = (place / _ASKS).read_bytes().splitlines()
    except FileNotFoundError:
        lines = []
    for line in reversed(lines):
        try:
            told: dict[str, Any] = json.loads(line)
            return Asked(told["verb"], told["by"], told["at"])
        except (ValueError, KeyError, TypeError):
            continue
    return Asked("go", "", 0.0)
