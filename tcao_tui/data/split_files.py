"""The files of a split: JSONL with every row as the source has it, each file there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tcao_tui.data.file_pass import FilePass
from tcao_tui.data.jsonl_rows import row_bytes
from tcao_tui.domain.data_profile import Split
from tcao_tui.errors import PlanInvalid, Refused
from tcao_tui.store.atomic_file import write_text

PARTS = ("train", "validation", "test")
RECORD = "split.json"
"""What a split leaves beside its files, so that a later one may replace them and nothing else."""


def part_path(into: Path, part: int) -> Path:
    """Where a part is written."""
    return into / f"{PARTS[part]}.jsonl"


def check_target(source: Path, into: Path) -> None:
    """Raises `Refused` when a file is in the way that no split wrote, the source above all."""
    there = [path for part in range(len(PARTS)) if (path := part_path(into, part)).exists()]
    if any(path.samefile(source) for path in there):
        raise _in_the_way(into, "the split would write over the file itself")
    if there and not (into / RECORD).exists():
        raise _in_the_way(into, f"{there[0].name} is there already and no split wrote it")


def write_parts(file: FilePass, into: Path, parts: Sequence[int], split: Split) -> None:
    """Copy each row that can be used to the file of its part; parts without rows leave no file.

    Args:
        file: A new pass over the source.
        into: Folder, made if need be.
        parts: Number of the part, by row.
        split: What is written beside the parts.

    Raises:
        PlanInvalid: The source was changed meanwhile.
        OSError: The folder cannot be written.
    """
    into.mkdir(parents=True, exist_ok=True)
    with _temporary_files(into) as files:
        for index, _ in enumerate(file.reader):
            files[parts[index]].write(row_bytes(file.reader.record))
        if file.sha256() != split.source_sha256:
            raise PlanInvalid(
                "the file was changed while it was split", where=str(file.path), next_step="split it again"
            )
        # First, so that what a kill leaves behind may be replaced.
        write_text(into / RECORD, split.model_dump_json(indent=2) + "\n")
        for part, written in enumerate(files):
            written.flush()
            os.fsync(written.fileno())
            if written.tell():
                Path(written.name).replace(part_path(into, part))
            else:
                part_path(into, part).unlink(missing_ok=True)


def _in_the_way(into: Path, what: str) -> Refused:
    return Refused(what, where=str(into), next_step="choose another folder")


@contextmanager
def _temporary_files(into: Path) -> Generator[list[BinaryIO]]:
    """One open file a part in the folder, removed at the end unless it was moved."""
    files: list[BinaryIO] = []
    try:
        files += [(into / f".{part}.{os.getpid()}").open("xb") for part in PARTS]
        yield files
    finally:
        for file in files:
            file.close()
            Path(file.name).unlink(missing_ok=True)
