"""Data files inspected, previewed, compared and split in a helper process; profiles are kept for the next time.

The signatures are those of `planner.desk`. All block: call in threads. What `on_progress` raises ends the helper.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from tcao_tui import __version__, paths
from tcao_tui.data.file_pass import file_status
from tcao_tui.data.jobs import InspectJob, OverlapJob, PreviewJob, SplitJob
from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.data_profile import DataProfile, FieldMap, Overlap, Split
from tcao_tui.domain.row_preview import RowPreview
from tcao_tui.services.data_helper import OnProgress, run_job
from tcao_tui.store.atomic_file import write_text

PROFILE_VERSION = 2
"""Raised when inspection measures something else, so that kept profiles are measured anew."""

_PROFILES_KEPT = 200


def inspect(
    path: Path,
    *,
    fields: FieldMap | None = None,
    model: ModelInfo | None = None,
    renderer: str | None = None,
    max_seq_len: int = 4096,
    on_progress: OnProgress | None = None,
) -> DataProfile:
    """Profile of a file; with a model, its tokens too.

    Raises:
        PlanInvalid: The file cannot be opened, or there is no such format or renderer.
        BackendError: The helper process failed.
    """
    job = InspectJob(path=path, fields=fields, model=model, renderer=renderer, max_seq_len=max_seq_len)
    kept = _kept_at(job)
    with contextlib.suppress(OSError, ValidationError):
        return DataProfile.model_validate_json(kept.read_bytes())
    profile = DataProfile.model_validate(run_job(job, on_progress))
    if model is None or profile.tokens is not None:
        _keep(kept, profile)
    return profile


def preview(
    path: Path,
    row: int,
    *,
    fields: FieldMap | None = None,
    model: ModelInfo,
    renderer: str | None = None,
    max_seq_len: int = 4096,
    side: Literal["chosen", "rejected"] = "chosen",
) -> RowPreview:
    """Row number `row`, from 1, as the model will see it; of a preference pair one side.

    Raises:
        PlanInvalid: There is no such row, it cannot be rendered, or the tokenizer cannot be loaded.
        BackendError: The helper process failed.
    """
    file_status(path)
    job = PreviewJob(
        path=path, row=row, fields=fields, model=model, renderer=renderer, max_seq_len=max_seq_len, side=side
    )
    return RowPreview.model_validate(run_job(job))


def overlap(
    left: Path, right: Path, *, left_fields: FieldMap | None = None, right_fields: FieldMap | None = None
) -> Overlap:
    """Rows of `right`, which measures, that stand in `left`, which is trained on.

    Raises:
        PlanInvalid: A file cannot be opened, or has no row that can be used.
        BackendError: The helper process failed.
    """
    for path in (left, right):
        file_status(path)
    job = OverlapJob(left=left, right=right, left_fields=left_fields, right_fields=right_fields)
    return Overlap.model_validate(run_job(job))


def split(
    source: Path, into: Path, *, validation: int, test: int, seed: int = 0, fields: FieldMap | None = None
) -> Split:
    """Write `train.jsonl` and, where rows are asked for, `validation.jsonl` and `test.jsonl` below `into`.

    Raises:
        PlanInvalid: The source cannot be used, or the sizes leave less than half of it to train on.
        Refused: A file is in the way that no split wrote.
        BackendError: The helper process failed, such as on a full disk.
    """
    file_status(source)
    job = SplitJob(source=source, into=into, validation=validation, test=test, seed=seed, fields=fields)
    return Split.model_validate(run_job(job))


def _kept_at(job: InspectJob) -> Path:
    """Where the profile of this very file, read and measured this very way, is kept. Raises `PlanInvalid`."""
    status = file_status(job.path)
    version = f"{__version__}/{PROFILE_VERSION}"
    facts = (version, str(job.path.absolute()), status.st_size, status.st_mtime_ns, _without_price(job))
    return paths.cache_dir() / "profiles" / f"{hashlib.sha256(repr(facts).encode()).hexdigest()}.json"


def _without_price(job: InspectJob) -> str:
    wanted: dict[str, Any] = job.model_dump(mode="json", exclude={"model"})
    if job.model is not None:
        wanted["model"] = (job.model.name, job.model.tokenizer, job.model.renderers[:1])
    return repr(wanted)


def _keep(path: Path, profile: DataProfile) -> None:
    """Keep a profile; a full or read-only disk only means that it is measured again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(path, profile.model_dump_json())
        for old in _oldest(path.parent):
            old.unlink(missing_ok=True)


def _oldest(folder: Path) -> Iterator[Path]:
    profiles = sorted(folder.glob("*.json"), key=os.path.getmtime)
    yield from profiles[:-_PROFILES_KEPT]
