"""The catalogue of Inspect Evals: every task with its data, sandbox and extra packages, read without loading Inspect.

Takes well over half a second, for 129 small files; to be asked for, never read when a console starts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from tcao_tui.domain.benchmarks.entry import PACKAGE

if TYPE_CHECKING:
    from inspect_evals.metadata import InternalEvalMetadata, TaskMetadata

DISTRIBUTION = "inspect-evals"


@dataclass(frozen=True, slots=True)
class Source:
    """Where data or code comes from: `kind` is huggingface, direct_url, git_clone or git_dependency."""

    kind: str
    place: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A task as the catalogue describes it.

    Attributes:
        name: As Inspect finds it, such as `inspect_evals/gsm8k`.
        folder: Its group of tasks in the package.
        description: What it is about; text of others.
        samples: How many it has; None where the catalogue does not say.
        version: Of the task, `COMPARABLE-INTERFACE`.
        extra: Extra of the package that it needs; empty for none.
        is_isolated: It is a package of its own, which is not installed with the others.
        is_maintenance: It judges the harness, not a model.
        uses_sandbox, uses_internet, uses_gpu: What its group needs to run.
    """

    name: str
    folder: str
    title: str
    description: str
    group: str
    samples: int | None
    version: str
    sources: tuple[Source, ...] = ()
    extra: str = ""
    is_isolated: bool = False
    is_maintenance: bool = False
    uses_sandbox: bool = False
    uses_internet: bool = False
    uses_gpu: bool = False


@cache
def read_catalogue() -> Mapping[str, Listed]:
    """Every task by name; files that cannot be read are left out. Read once in a process."""
    from inspect_evals import metadata

    # A newer key in one file must cost that task only, and no warning on the screen.
    logging.getLogger(metadata.__name__).setLevel(logging.ERROR)
    listing, _ = metadata.load_listing_safe()
    return {task.name: task for entry in listing.internal_evals for task in _tasks(entry)}


def installed_version() -> str:
    """Version of the installed package."""
    return version(DISTRIBUTION)


def _tasks(entry: InternalEvalMetadata) -> Iterator[Listed]:
    for task in entry.tasks:
        yield _listed(entry, task)


def _listed(entry: InternalEvalMetadata, task: TaskMetadata) -> Listed:
    runtime = entry.runtime_metadata
    requires = runtime.requires if runtime is not None else None
    return Listed(
        name=f"{PACKAGE}/{task.name}",
        folder=entry.id,
        title=entry.title,
        description=" ".join(entry.description.split()),
        group=entry.group.value,
        samples=task.dataset_samples,
        version=str(entry.version),
        sources=tuple(dict.fromkeys(Source(asset.type.value, asset.source) for asset in entry.external_assets)),
        extra=(entry.dependency or entry.dependency_group or "").replace("_", "-"),
        is_isolated=entry.isolated,
        is_maintenance=task.kind == "maintenance",
        uses_sandbox=entry.is_sandboxed,
        uses_internet=bool(requires is not None and requires.internet),
        uses_gpu=entry.requires_gpu,
    )
