"""Columns of a long run on disk, mapped into memory when the run is opened again.

One folder per run: `index.json` names the data file, which holds all columns one after another. The index is replaced
in one step and the data file it names never changes, so a reader sees one state or another, never a mixture.
Whether a cache still belongs to its source is for the reader of that source to say (`mark`); writing is the business
of `column_writer`. Nothing here is truth: whatever does not fit is made again.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tcao_tui.domain.blocks import BLOCK, Blocks
from tcao_tui.domain.segments import Steps
from tcao_tui.domain.series import Series

VERSION = 1
INDEX = "index.json"

_WINDOWS = 16
_WINDOW_BYTES = 512


@dataclass(frozen=True, slots=True)
class CachedColumns:
    """A cache as found.

    Attributes:
        series: By metric key, over the mapped file.
        mark: How far the source was read, and what it looked like, in the words of the source's reader.
        counts: What the reader had come across, in its words.
    """

    series: dict[str, Series]
    mark: dict[str, Any]
    counts: dict[str, Any] = field(default_factory=dict[str, Any])


def cache_folder(cache_dir: Path, identity: str) -> Path:
    """Where the columns of the source called `identity` lie."""
    return cache_dir / "columns" / hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()


def open_columns(folder: Path) -> CachedColumns | None:
    """The columns cached in `folder`; None when there are none, or they are damaged or of another version."""
    try:
        index = json.loads((folder / INDEX).read_bytes())
        if index["version"] != VERSION:
            return None
        data = _mapped(folder / Path(index["data"]).name, int(index["bytes"]))
        series = {entry["key"]: _series(data, entry) for entry in index["columns"]}
        os.utime(folder / INDEX)  # the least recently used is removed first
        return CachedColumns(series, index["mark"], index["counts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def file_mark(path: Path, offset: int) -> dict[str, Any]:
    """Says what the first `offset` bytes of a file look like: hashes of windows spread over them.

    It tells an appended file from a rewritten one without reading it whole.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.blake2b(str(offset).encode(), digest_size=16)
    with path.open("rb", buffering=0) as file:
        for i in range(_WINDOWS):
            file.seek(max(0, offset - _WINDOW_BYTES) * i // (_WINDOWS - 1))
            digest.update(file.read(min(_WINDOW_BYTES, offset)))
    return {"offset": offset, "fingerprint": digest.hexdigest()}


def file_fits(path: Path, mark: dict[str, Any]) -> bool:
    """Whether the file still starts with what `mark` was made for."""
    try:
        offset = int(mark["offset"])
        return path.stat().st_size >= offset and file_mark(path, offset) == mark
    except (OSError, KeyError, TypeError, ValueError):
        return False


def _mapped(path: Path, size: int) -> memoryview[int]:
    if size == 0:
        return memoryview(b"")
    with path.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if len(view) != size:
        raise ValueError("the data file is not the one that the index was written for")
    return view


def _series(data: memoryview[int], entry: dict[str, Any]) -> Series:
    count, at = int(entry["count"]), int(entry["at"])
    blocks = count // BLOCK
    values = _floats(data, at, count)
    summaries = Blocks(*(_floats(data, at + 8 * (count + i * blocks), blocks) for i in range(3)))
    if entry["even"] is not None:
        steps: Steps = range(*entry["even"])
    else:
        steps = data[at + 8 * (count + 3 * blocks) :][: 8 * count].cast("q")
    if len(steps) != count:
        raise ValueError("as many steps as values are needed")
    return Series.over(steps, values, summaries)


def _floats(data: memoryview[int], at: int, count: int) -> memoryview[float]:
    part = data[at : at + 8 * count]
    if len(part) != 8 * count:
        raise ValueError("the data file is shorter than its index says")
    return part.cast("d")
