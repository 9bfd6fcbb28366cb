"""Writes a column cache; only the loader process uses it, because it needs numpy."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tcao_tui.domain.blocks import BLOCK
from tcao_tui.store.column_cache import INDEX, VERSION
from tcao_tui.store.spill import Reals, SpillColumn

MOST_BYTES = 4 << 30
"""Room that all caches together may take; the least recently opened go first."""


def write_columns(
    folder: Path, columns: Mapping[str, SpillColumn], *, mark: Mapping[str, Any], counts: Mapping[str, Any]
) -> None:
    """Write all columns and make them the cache of `folder` in one step; older data is removed.

    Raises:
        OSError: There is no room, or the folder cannot be written.
    """
    name, entries, at = f"{os.getpid()}-{time.time_ns()}.data", list[dict[str, Any]](), 0
    part = folder / f"{name}.part"
    try:
        with part.open("wb") as file:
            for key, column in columns.items():
                even, count = column.even_steps(), len(column)
                values = column.values()
                parts = [values, *_summaries(values), *([column.steps()] if even is None else [])]
                written = sum(file.write(p.data) for p in parts)
                spacing = None if even is None else [even.start, even.stop, even.step]
                entries.append({"key": key, "count": count, "at": at, "even": spacing})
                at += written
        part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)
    index = {"version": VERSION, "data": name, "bytes": at, "mark": mark, "counts": counts, "columns": entries}
    written_index = folder / f"{name}.index"
    replaced = _data_file(folder)
    written_index.write_text(json.dumps(index))
    written_index.replace(folder / INDEX)
    if replaced and replaced != name:
        (folder / replaced).unlink(missing_ok=True)


def prune(columns_dir: Path, *, keep: Path, most_bytes: int = MOST_BYTES) -> None:
    """Remove the least recently opened caches until all fit into `most_bytes`; `keep` stays."""
    found: list[tuple[float, Path, int]] = []
    for folder in columns_dir.iterdir():
        index = folder / INDEX
        if index.exists():
            found.append(
                (index.stat().st_mtime, folder, sum(f.stat().st_size for f in folder.iterdir() if f.is_file()))
            )
    total = sum(size for _, _, size in found)
    for _, folder, size in sorted(found):
        if total <= most_bytes:
            return
        if folder != keep:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size


def _data_file(folder: Path) -> str:
    """Name of the data file that the present index names; empty when there is none."""
    try:
        return Path(json.loads((folder / INDEX).read_bytes())["data"]).name
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _summaries(values: Reals) -> tuple[Reals, Reals, Reals]:
    """Lows, highs and not finite counts of the full blocks, as `domain.blocks.Blocks` makes them."""
    full = values[: len(values) // BLOCK * BLOCK].reshape(-1, BLOCK)
    finite = np.isfinite(full)
    lows = np.where(finite, full, np.inf).min(axis=1)
    highs = np.where(finite, full, -np.inf).max(axis=1)
    return lows, highs, (BLOCK - finite.sum(axis=1)).astype(np.float64)
