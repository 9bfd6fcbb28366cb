"""Text files that are there whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PRIVATE = 0o600
EXECUTABLE = 0o700


def write_keeping_old(path: Path, text: str, mode: int = PRIVATE) -> None:
    """`write_text`; a file that was there and differs is kept as `NAME.old`. Raises `OSError`."""
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
        path.replace(path.with_name(f"{path.name}.old"))
    write_text(path, text, mode)


def write_text(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Write `text` as UTF-8; a reader sees the old file or the new one. Raises `OSError`."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
