"""What tools ask outside of the interview: services in production, fakes in tests. All block: call in threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.data_profile import DataProfile, FieldMap, Overlap, Split
from tcao_tui.domain.row_preview import RowPreview

type OnProgress = Callable[[int, int], None]
"""Told bytes done and bytes in all, at most a few times a second."""


class Inspect(Protocol):
    """`services.inspection.inspect`."""

    def __call__(
        self,
        path: Path,
        *,
        fields: FieldMap | None = None,
        model: ModelInfo | None = None,
        renderer: str | None = None,
        max_seq_len: int = 4096,
        on_progress: OnProgress | None = None,
    ) -> DataProfile:
        """Profile of a file; with a model, its tokens too. Raises `PlanInvalid` when the file cannot be opened."""
        ...


class Preview(Protocol):
    """`services.inspection.preview`."""

    def __call__(
        self,
        path: Path,
        row: int,
        *,
        fields: FieldMap | None = None,
        model: ModelInfo,
        renderer: str | None = None,
        max_seq_len: int = 4096,
    ) -> RowPreview:
        """Row number `row`, from 1, as the model will see it."""
        ...


class CompareFiles(Protocol):
    """`services.inspection.overlap`."""

    def __call__(
        self, left: Path, right: Path, *, left_fields: FieldMap | None = None, right_fields: FieldMap | None = None
    ) -> Overlap:
        """Rows of `right`, which measures, that stand in `left`, which is trained on."""
        ...


class SplitFile(Protocol):
    """`services.inspection.split`."""

    def __call__(
        self, source: Path, into: Path, *, validation: int, test: int, seed: int = 0, fields: FieldMap | None = None
    ) -> Split:
        """Write `train.jsonl` and, where rows are asked for, `validation.jsonl` and `test.jsonl` below `into`."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The use cases that tools may ask for. Each raises `TcaoError` with a next step when it cannot be.

    Attributes:
        capabilities: Models of the backend's profile, starting the local engine where it is the backend.
        work_dir: Where files of this interview may be written, such as a split.
        read_run: A run by id, name or `latest`, as JSON values for the planner.
    """

    inspect: Inspect
    preview: Preview
    overlap: CompareFiles
    split: SplitFile
    capabilities: Callable[[], Capabilities]
    read_run: Callable[[str], dict[str, object]]
    work_dir: Path
