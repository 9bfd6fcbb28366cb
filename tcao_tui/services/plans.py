"""Loading a plan, and whether its data and code are still what was approved: content, not file names.

Reading the YAML is `store.plan_file`; binding a plan to its data is `domain.checks.plan_check`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_code import all_code
from tcao_tui.domain.plan_data import all_data_files
from tcao_tui.errors import TcaoError
from tcao_tui.services.user_code import code_hash
from tcao_tui.store.plan_file import PLAN_NAME, read_plan


def load_plan(path: Path) -> Plan:
    """Read a plan, or a bare training config as an SFT plan, with absolute data paths.

    Raises:
        PlanInvalid: With every problem of the file.
    """
    return read_plan(path)


def plan_of_run(runs_root: Path, run_id: str) -> Plan | None:
    """The plan of a run; None where there is no run, or its plan cannot be read."""
    try:
        return read_plan(runs_root / run_id / PLAN_NAME) if run_id else None
    except (TcaoError, OSError):
        return None


def changed_data(plan: Plan) -> list[str]:
    """What of a resolved plan's data and code is not what was approved, one sentence each; empty when all is well."""
    problems: list[str] = []
    for file in all_data_files(plan):
        try:
            same = hash_file(file.path) == file.recorded
        except OSError as error:
            problems.append(f"{file.key}: {file.path}: {error.strerror}")
            continue
        if not same:
            problems.append(f"{file.key}: {file.path} is not the file that was approved (its SHA-256 differs)")
    return [*problems, *_changed_code(plan)]


def _changed_code(plan: Plan) -> Iterator[str]:
    for code in all_code(plan):
        try:
            same = code_hash(code.module).sha256 == code.recorded
        except TcaoError as error:
            yield f"{code.key}: the code of {code.module} that was approved is not found: {error.what}"
            continue
        if not same:
            yield f"{code.key}: the code of {code.module} is not what was approved (its SHA-256 differs)"


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hex. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
