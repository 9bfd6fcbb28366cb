"""Data files in the person's project, to choose from; names only, nothing is opened."""

from __future__ import annotations

import os
import re
from pathlib import Path

DATA_NAME = re.compile(r".+\.(jsonl|ndjson|json|csv|tsv|parquet)(\.(gz|zst))?", re.IGNORECASE)
EVAL_NAME = re.compile(
    r"(^|[_.-])(test|eval\w*|holdout|held_?out|benchmark|dev|val|valid|validation)([_.-]|$)", re.IGNORECASE
)
_NOT_DATA = re.compile(r"(package(-lock)?|tsconfig|config|settings|requirements|manifest)\b.*\.json", re.IGNORECASE)
_SKIPPED = frozenset({"node_modules", "runs", "venv", "__pycache__", "site-packages", "build", "dist"})
_ENTRIES = 2_000
_DEPTH = 2


def nearby_files(directory: str) -> tuple[Path, ...]:
    """Files that may hold rows, the nearest first, two folders deep; hidden ones and those of tools are left out."""
    found: list[tuple[int, str, Path]] = []
    seen, waiting = 0, [(0, Path(directory))]
    while waiting:
        depth, folder = waiting.pop(0)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if seen > _ENTRIES:
                break
            if entry.name.startswith(".") or entry.name in _SKIPPED:
                continue
            if entry.is_dir(follow_symlinks=False) and depth < _DEPTH:
                waiting.append((depth + 1, Path(entry.path)))
            elif _is_data(entry):
                found.append((depth, entry.name, Path(entry.path)))
    return tuple(path for _, _, path in sorted(found))


def _is_data(entry: os.DirEntry[str]) -> bool:
    return bool(DATA_NAME.fullmatch(entry.name) and not _NOT_DATA.match(entry.name) and entry.is_file())
