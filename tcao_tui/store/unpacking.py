"""Unpacks archives that others made: every member is judged before one byte is written, and all are there or none.

Nothing of a member but its name and its bytes is taken over: no links, devices, owners, modes or times.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import Refused

MOST_BYTES = 1 << 40
"""Unpacked size of the largest checkpoints, in full precision, is below this."""

MOST_MEMBERS = 10_000
_DEEPEST = 16
_LONGEST_NAME_BYTES = 255
_LARGEST_HEADER_BYTES = 1 << 20
_COPIED_BYTES = 1 << 20
_SET_ID = stat.S_ISUID | stat.S_ISGID

_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)

_TARS: dict[bytes, Callable[[Path], IO[bytes]]] = {
    b"\x1f\x8b": cast("Callable[[Path], IO[bytes]]", gzip.GzipFile),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"": cast("Callable[[Path], IO[bytes]]", io.FileIO),
}
"""How a tar is read, by how its file begins; what begins otherwise is taken for a bare one."""


class ArchiveRefused(Refused):
    """An archive holds something that no honest one of ours would, or is not whole; nothing of it was kept."""

    title = "Archive refused"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an archive may grow to."""

    total_bytes: int = MOST_BYTES
    members: int = MOST_MEMBERS


@dataclass(frozen=True, slots=True)
class _Member:
    """A member as it says it is: `problem` is why its kind is refused, `open` None for a folder."""

    name: str
    size: int
    problem: str
    open: Callable[[], IO[bytes] | None] | None


def unpack(archive: Path, target: Path, bounds: Bounds | None = None) -> list[Path]:
    """Unpack a tar (bare, gzip, bzip2, xz) or zip into a new folder.

    Args:
        archive: The file.
        target: The folder; must not exist, and does not afterwards when anything was wrong.
        bounds: Largest size and count.

    Returns:
        The files, relative to `target`, in the order of the archive.

    Raises:
        ArchiveRefused: It is damaged, too large, or a member could land outside, is no plain file, or hides another.
        Refused: The target exists.
    """
    if target.exists() or target.is_symlink():
        raise Refused("there is something already", where=str(target), next_step="name a new folder")
    bounds = bounds or Bounds()
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        written = _unpack(archive, unfinished, bounds)
        unfinished.rename(target)
    except _DAMAGED as error:
        raise ArchiveRefused(f"cannot be read: {one_line(str(error), 200)}", where=str(archive)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return written


def _unpack(archive: Path, folder: Path, bounds: Bounds) -> list[Path]:
    places = _Places(archive, bounds)
    # Once through without writing: a tar tells what it holds only at its end.
    for member in _members(archive):
        places.take(member)
    written: list[Path] = []
    left = bounds.total_bytes
    for member in _members(archive):
        place = PurePosixPath(*_parts(member.name))
        path = folder / place
        if member.open is None:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        left -= _copy(member, path, min(left, member.size), archive)
        written.append(Path(place))
    return written


def _copy(member: _Member, path: Path, most_bytes: int, archive: Path) -> int:
    """Write a member; returns its bytes. A zip may hold more than it says."""
    source = member.open() if member.open is not None else None
    if source is None:
        raise ArchiveRefused("a member has no content", where=_where(archive, member.name))
    copied = 0
    with source, path.open("xb") as file:
        while data := source.read(_COPIED_BYTES):
            copied += len(data)
            if copied > most_bytes:
                raise ArchiveRefused("a member is larger than it says", where=_where(archive, member.name))
            file.write(data)
    if copied != member.size:
        raise ArchiveRefused("a member is cut off", where=_where(archive, member.name))
    return copied


class _Places:
    """Judges members one after the other; raises `ArchiveRefused` at the first that must not be unpacked."""

    def __init__(self, archive: Path, bounds: Bounds) -> None:
        self._archive = archive
        self._bounds = bounds
        self._members = 0
        self._bytes = 0
        self._files: set[tuple[str, ...]] = set()
        self._folders: set[tuple[str, ...]] = set()

    def take(self, member: _Member) -> None:
        self._members += 1
        self._bytes += member.size
        problem = member.problem or self._too_much(member) or name_problem(member.name) or self._hidden(member)
        if problem:
            raise ArchiveRefused(problem, where=_where(self._archive, member.name))

    def _too_much(self, member: _Member) -> str:
        if member.size < 0:
            return "a member is smaller than nothing"
        if self._members > self._bounds.members:
            return f"it has more than {self._bounds.members:,} members"
        if self._bytes > self._bounds.total_bytes:
            return f"it unpacks to more than {self._bounds.total_bytes:,} bytes"
        return ""

    def _hidden(self, member: _Member) -> str:
        """Two names that some file system takes for one."""
        key = tuple(unicodedata.normalize("NFKC", part).casefold() for part in _parts(member.name))
        above = {key[:depth] for depth in range(1, len(key))}
        if key in self._files or above & self._files or (member.open is not None and key in self._folders):
            return "two members have the same name, or one that differs in case only"
        self._folders |= above
        (self._folders if member.open is None else self._files).add(key)
        return ""


def name_problem(name: str) -> str:
    """Why a file must not be written under a name that others gave, in words; "" when it may."""
    parts = PurePosixPath(name).parts
    if name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":"):
        return "a member has an absolute path"
    if ".." in parts or "\\" in name:
        return "a member leads out of the folder"
    if not name or any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in name):
        return "a member has a name that cannot be shown"
    if len(parts) > _DEEPEST or any(len(part.encode()) > _LONGEST_NAME_BYTES for part in parts):
        return "a member has a name that is too long"
    return ""


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name).parts


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    else:
        yield from _tar_members(archive)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            mode = info.external_attr >> 16
            problem = "a member is encrypted" if info.flag_bits & 0x1 else _bad_mode(mode)
            # `ZipInfo` cuts a name at a NUL, so the name that is judged is the one that was written.
            content = None if info.is_dir() else lambda info=info: opened.open(info)
            yield _Member(info.orig_filename, info.file_size, problem, content)


def _bad_mode(mode: int) -> str:
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a member is a link or a device"
    return "a member would run with another's rights" if mode & _SET_ID and kind != stat.S_IFDIR else ""


def _tar_members(archive: Path) -> Iterator[_Member]:
    with archive.open("rb") as file:
        begins = file.read(8)
    opener = next(opener for magic, opener in _TARS.items() if begins.startswith(magic))
    with opener(archive) as source, tarfile.open(fileobj=cast("IO[bytes]", _Wary(source)), mode="r:") as opened:
        for info in opened:
            content = None if info.isdir() else lambda info=info: opened.extractfile(info)
            yield _Member(info.name, info.size, _bad_kind(info), content)


def _bad_kind(info: tarfile.TarInfo) -> str:
    if info.isdir():
        return ""
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.sparse:
        return "a member is a link, a device or another thing that is no plain file"
    return "a member would run with another's rights" if info.mode & _SET_ID else ""


class _Wary:
    """A file whose single reads are bounded: `tarfile` reads a header of any claimed size into memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.tell = file.tell
        self.seek = file.seek

    def read(self, size: int) -> bytes:
        if size > _LARGEST_HEADER_BYTES:
            raise tarfile.ReadError("a header is too large")
        return self._file.read(size)


def _where(archive: Path, member: str) -> str:
    return f"{one_line(str(archive), 200)}: {one_line(member, 120)}"
