"""`SHA256SUMS` of a folder, in the format of `sha256sum -c`: what was received, and whether it is still that."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import TcaoError
from tcao_tui.store.atomic_file import write_text

SUMS_NAME = "SHA256SUMS"


class Altered(TcaoError):
    """Files are not what they were when their checksums were written."""

    title = "Files were altered"


def sha256_of(path: Path) -> str:
    """Hex digest of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> dict[str, str]:
    """Hash every file below `folder` and write `SHA256SUMS` there; returns digests by relative name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS_NAME)
    sums = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
    write_text(folder / SUMS_NAME, "".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    return sums


def verify_sums(folder: Path) -> None:
    """Hash the files again; further files are no fault.

    Raises:
        Altered: One is gone or another, or there are no checksums.
    """
    try:
        lines = (folder / SUMS_NAME).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Altered("it has no readable checksums", where=str(folder / SUMS_NAME)) from error
    for line in lines:
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or sha256_of(path) != digest:
            raise Altered(
                f"{one_line(name, 120)} is not what was written", where=str(folder), next_step="make it again"
            )
