"""Loading a plan and binding it to its data: what is approved and trained is content, not file names.

Reading the YAML is `store.plan_file`; looking into the rows is `data`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.plan import DataHashes, Plan
from tcao_tui.errors import PlanInvalid
from tcao_tui.store.plan_file import read_plan


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file of a plan: `field` is its place in `Plan.data`, `key` its key path in the plan file."""

    field: str
    key: str
    path: Path
    recorded: str


def load_plan(path: Path) -> Plan:
    """Read a plan, or a bare training config as an SFT plan, with absolute data paths.

    Raises:
        PlanInvalid: With every problem of the file.
    """
    return read_plan(path)


def resolve(plan: Plan) -> Plan:
    """The plan with the SHA-256 of its data files filled in.

    Raises:
        PlanInvalid: A file is missing or unreadable, differs from the hash that the plan already has, or
            validation rows are the training rows.
    """
    hashes: dict[str, str] = {}
    problems: list[str] = []
    for file in data_files(plan):
        try:
            hashes[file.field] = hash_file(file.path)
        except OSError as error:
            problems.append(f"{file.key}: {file.path}: {error.strerror}")
            continue
        if file.recorded and file.recorded != hashes[file.field]:
            problems.append(f"{file.key}: {file.path} changed since the plan was written (data.{file.field})")
    if hashes.get("val_file") and hashes.get("val_file") == hashes.get("train_file"):
        problems.append("training.val_file: has the same content as train_file: validation would say nothing")
    if problems:
        raise PlanInvalid("\n".join(problems), where="plan", next_step="correct the paths or restore the files")
    return plan.model_copy(update={"data": DataHashes(**hashes)})


def changed_data(plan: Plan) -> list[str]:
    """What of a resolved plan's data is not what was approved, one sentence per file; empty when all is well."""
    problems: list[str] = []
    for file in data_files(plan):
        try:
            same = hash_file(file.path) == file.recorded
        except OSError as error:
            problems.append(f"{file.key}: {file.path}: {error.strerror}")
            continue
        if not same:
            problems.append(f"{file.key}: {file.path} is not the file that was approved (its SHA-256 differs)")
    return problems


def data_files(plan: Plan) -> list[DataFile]:
    """The data files that a plan names."""
    training, score = plan.training, plan.evals.score
    found = [("train_file", "training.train_file", training.train_file)]
    if training.val_file is not None:
        found.append(("val_file", "training.val_file", training.val_file))
    if score is not None:
        found.append(("score_file", "evals.score.file", score.file))
    return [DataFile(field, key, path, getattr(plan.data, field)) for field, key, path in found]


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hex. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
