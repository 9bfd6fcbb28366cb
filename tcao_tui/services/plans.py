"""Loading a plan, and whether its data is still what was approved: content, not file names.

Reading the YAML is `store.plan_file`; binding a plan to its data is `domain.checks.plan_check`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_data import all_data_files
from tcao_tui.store.plan_file import read_plan


def load_plan(path: Path) -> Plan:
    """Read a plan, or a bare training config as an SFT plan, with absolute data paths.

    Raises:
        PlanInvalid: With every problem of the file.
    """
    return read_plan(path)


def changed_data(plan: Plan) -> list[str]:
    """What of a resolved plan's data is not what was approved, one sentence per file; empty when all is well."""
    problems: list[str] = []
    for file in all_data_files(plan):
        try:
            same = hash_file(file.path) == file.recorded
        except OSError as error:
            problems.append(f"{file.key}: {file.path}: {error.strerror}")
            continue
        if not same:
            problems.append(f"{file.key}: {file.path} is not the file that was approved (its SHA-256 differs)")
    return problems


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hex. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
