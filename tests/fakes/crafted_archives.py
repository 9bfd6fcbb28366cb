"""Archives that try to do harm, each by name: a function that writes it and the words of its refusal."""

from __future__ import annotations

import bz2
import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

type Craft = Callable[[Path], None]

LIMIT_BYTES, LIMIT_MEMBERS = 1 << 20, 50
"""What the tests allow an archive to unpack to."""


def member(name: str, data: bytes = b"x", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, data


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> Craft:
    def write(path: Path) -> None:
        opened = tarfile.TarFile.gzopen(path, "w")
        with opened:
            opened.addfile(*_filed(member("good.txt")))
            for each in members:
                opened.addfile(*_filed(each))

    return write


def _filed(each: tuple[tarfile.TarInfo, bytes]) -> tuple[tarfile.TarInfo, io.BytesIO | None]:
    info, data = each
    return info, io.BytesIO(data) if info.isreg() else None


def link(name: str, target: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, b"", type=kind, linkname=target)


def zipped(*names: str, mode: int = 0, data: bytes = b"x") -> Craft:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr("good.txt", "x")
            for name in names:
                info = zipfile.ZipInfo(name)
                info.external_attr = mode << 16
                opened.writestr(info, data, zipfile.ZIP_DEFLATED)

    return write


def huge_header(path: Path) -> None:
    """A GNU long name whose header claims four gigabytes."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 4 << 30
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 16)))


def negative(path: Path) -> None:
    """A size of minus one, in the base-256 numbers of GNU tar."""
    header = bytearray(member("a", b"")[0].tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(gzip.compress(bytes(header) + bytes(1 << 14)))


def cut_off(path: Path) -> None:
    tar(member("large.bin", bytes(range(256)) * 2000))(path)
    path.write_bytes(path.read_bytes()[:-200])


def flipped(path: Path) -> None:
    """A zip whose content no longer has its checksum."""
    zipped("a.bin", data=bytes(1000))(path)
    with zipfile.ZipFile(path) as opened:
        start = opened.getinfo("a.bin").header_offset
    content = bytearray(path.read_bytes())
    content[start + 14 : start + 18] = struct.pack("<I", 1)
    at = content.rindex(b"PK\x01\x02")
    content[at + 16 : at + 20] = struct.pack("<I", 1)
    path.write_bytes(bytes(content))


def lying_zip(path: Path) -> None:
    """A zip whose directory says that a megabyte is one byte."""
    zipped("a.bin", data=bytes(1 << 19))(path)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 1)
    path.write_bytes(bytes(content))


def encrypted_zip(path: Path) -> None:
    zipped("a.bin")(path)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(bytes(content))


def _named(names: Iterable[str]) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [member(name) for name in names]


OUTSIDE, ABSOLUTE, KIND, TWICE = "leads out", "absolute", "link", "same name"

CRAFTED: dict[str, tuple[Craft, str]] = {
    "a name with dots": (tar(member("../evil.txt")), OUTSIDE),
    "dots in the middle": (tar(member("a/../../evil.txt")), OUTSIDE),
    "dots of a folder": (tar(member("../evil", b"", type=tarfile.DIRTYPE)), OUTSIDE),
    "a sibling with the same beginning": (tar(member("../target-evil/x")), OUTSIDE),
    "backslashes": (tar(member("..\\evil.txt")), OUTSIDE),
    "an absolute name": (tar(member("/tmp/evil.txt")), ABSOLUTE),
    "a drive": (tar(member("C:evil.txt")), ABSOLUTE),
    "a share": (tar(member("\\\\host\\share\\evil.txt")), ABSOLUTE),
    "a symbolic link": (tar(link("a", "/etc/passwd", tarfile.SYMTYPE)), KIND),
    "a file through a link": (tar(link("a", "..", tarfile.SYMTYPE), member("a/evil.txt")), KIND),
    "a link within": (tar(link("a", "good.txt", tarfile.SYMTYPE)), KIND),
    "a hard link": (tar(link("a", "../../evil.txt", tarfile.LNKTYPE)), KIND),
    "a character device": (tar(member("a", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=5)), KIND),
    "a block device": (tar(member("a", b"", type=tarfile.BLKTYPE, devmajor=8)), KIND),
    "a pipe": (tar(member("a", b"", type=tarfile.FIFOTYPE)), KIND),
    "a kind nobody knows": (tar(member("a", b"", type=b"Z")), KIND),
    "another's rights": (tar(member("a", mode=0o4755)), "another's rights"),
    "the same name twice": (tar(member("good.txt")), TWICE),
    "the same name in capitals": (tar(member("GOOD.TXT")), TWICE),
    "a file that is a folder too": (tar(member("a"), member("a/b")), TWICE),
    "a folder that is a file too": (tar(member("a/b"), member("a")), TWICE),
    "a ligature of the same name": (tar(member("ﬁle"), member("file")), TWICE),
    "a name with a control character": (tar(member("a\x1b[2J")), "cannot be shown"),
    "a name that turns around": (tar(member("a\u202egpj.exe")), "cannot be shown"),
    "a name that is too long": (tar(member("a" * 300)), "too long"),
    "a name that is too deep": (tar(member("a/" * 40 + "b")), "too long"),
    "a bomb": (tar(member("zeros", bytes(LIMIT_BYTES + 1))), "more than 1,048,576 bytes"),
    "a bomb in parts": (tar(*[member(f"z{n}", bytes(LIMIT_BYTES // 4)) for n in range(6)]), "1,048,576 bytes"),
    "too many members": (tar(*_named(f"f{n}" for n in range(LIMIT_MEMBERS + 1))), "more than 50 members"),
    "a size below nothing": (negative, "cannot be read|smaller than nothing"),
    "a huge header": (huge_header, "header is too large"),
    "an end that is missing": (cut_off, "cannot be read"),
    "no archive at all": (lambda path: path.write_bytes(b"hello" * 500) and None, "cannot be read"),
    "a compressed nothing": (lambda path: path.write_bytes(bz2.compress(b"hello" * 500)) and None, "cannot be read"),
    "a zip with dots": (zipped("../evil.txt"), OUTSIDE),
    "a zip with an absolute name": (zipped("/evil.txt"), ABSOLUTE),
    "a zip with a link": (zipped("a", mode=stat.S_IFLNK | 0o777), KIND),
    "a zip with another's rights": (zipped("a", mode=stat.S_IFREG | 0o4755), "another's rights"),
    "a zip with one name twice": (zipped("a", "A"), TWICE),
    "a zip bomb": (zipped("a", data=bytes(LIMIT_BYTES + 1)), "more than 1,048,576 bytes"),
    "a zip that lies about a size": (lying_zip, "cannot be read|larger than it says"),
    "a zip with another checksum": (flipped, "cannot be read"),
    "an encrypted zip": (encrypted_zip, "encrypted"),
}
