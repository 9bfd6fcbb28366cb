"""A data file as a stream of UTF-8 text in bounded pieces, whatever its compression and encoding.

Every byte of the file passes the digest; decompression yields at most one piece at a time, so that a bomb stays small.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import zstandard

from tcao_tui.data.containers.zstd_frames import is_whole
from tcao_tui.data.rows import RowRejected

PIECE_BYTES = 2**20

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_BARE_WIDE = ((b"{\x00", "utf-16-le"), (b"[\x00", "utf-16-le"), (b"\x00{", "utf-16-be"), (b"\x00[", "utf-16-be"))


class Digest(Protocol):
    """Something that sees every byte of the file, such as a `hashlib` object."""

    def update(self, data: bytes, /) -> None:
        """Take in the next bytes."""
        ...


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Counted(io.RawIOBase):
    """The file's own bytes, counted and hashed as they are read."""

    def __init__(self, file: BinaryIO, digest: Digest | None) -> None:
        self._file = file
        self._digest = digest
        self.count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self.count += len(data)
        if self._digest is not None:
            self._digest.update(data)
        return data


@dataclass(slots=True)
class Source:
    """One opened file.

    Attributes:
        path: The file.
        compression: "gz", "zst" or "", by content.
        encoding: As found by byte order mark or by pattern; what `pieces` yields is UTF-8.
        head: The first piece, decompressed, in UTF-8 and without byte order mark; empty for an empty file.
        notes: Peculiarities that are accepted.
        given: Bytes of text handed out so far.
    """

    path: Path
    file: BinaryIO
    digest: Digest | None = None
    compression: str = ""
    encoding: str = "utf-8"
    head: bytes = b""
    notes: list[str] = field(default_factory=list[str])
    given: int = 0
    _raw: _Counted = field(init=False)
    _stream: _Stream = field(init=False)
    _is_whole: bool = True
    _decoder: codecs.IncrementalDecoder | None = None

    def __post_init__(self) -> None:
        start = self.file.read(4)
        self.file.seek(0)
        self._raw = _Counted(self.file, self.digest)
        self._stream = self._raw
        if start.startswith(_GZIP):
            self.compression = "gz"
            self._stream = gzip.GzipFile(fileobj=self._raw, mode="rb")
        elif start.startswith(_ZSTD):
            self.compression = "zst"
            self._is_whole = is_whole(self.file)
            self._stream = zstandard.ZstdDecompressor().stream_reader(
                cast("BinaryIO", self._raw), read_across_frames=True
            )
        self.head = self._unmarked(self._read())

    @property
    def bytes_read(self) -> int:
        """Bytes of the file itself that were read."""
        return self._raw.count

    @property
    def suffix(self) -> str:
        """The extension without that of the compression, such as ".jsonl"; lower case."""
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        if suffixes and suffixes[-1] in {".gz", ".gzip", ".zst", ".zstd"}:
            suffixes.pop()
        return suffixes[-1] if suffixes else ""

    def pieces(self) -> Iterator[bytes]:
        """The whole text. Raises `RowRejected` when the compressed data are damaged."""
        piece = self.head
        while piece:
            self.given += len(piece)
            yield piece
            piece = self._text(self._read())

    def bytes_as_they_are(self) -> Iterator[bytes]:
        """The whole content without any decoding of text, for what is no text."""
        piece = self.head
        while piece:
            yield piece
            piece = self._read()

    def _read(self) -> bytes:
        try:
            piece = self._stream.read(PIECE_BYTES)
            if piece or self._is_whole:
                return piece
            reason = "the last frame has no end"
        except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
            reason = str(error)
        what = f"the {self.compression} data are damaged or cut off: {reason}"
        raise RowRejected(what, "compress or download the file again")

    def _unmarked(self, start: bytes) -> bytes:
        if start.startswith(codecs.BOM_UTF8):
            self.notes.append("starts with a byte order mark")
            return start[len(codecs.BOM_UTF8) :] or self._read()
        found = next((name for mark, name in (*_MARKS, *_BARE_WIDE) if start.startswith(mark)), None)
        if found is None:
            return start
        self.encoding = found
        self.notes.append(f"is {found.upper()}, read as such")
        self._decoder = codecs.getincrementaldecoder(found)("surrogatepass")
        return self._text(start)

    def _text(self, piece: bytes) -> bytes:
        """One piece in UTF-8; half a character of UTF-16 becomes bytes that are no UTF-8, so that its row is named."""
        if self._decoder is None:
            return piece
        text, ended = "", False
        try:
            while not text and not ended:
                ended = not piece
                text = self._decoder.decode(piece, ended)
                piece = b"" if text else self._read()
        except UnicodeError:
            what = f"is not {self.encoding.upper()} throughout: it is damaged or ends inside a character"
            raise RowRejected(what, "save the file as UTF-8") from None
        return text.encode("utf-8", "surrogatepass")
