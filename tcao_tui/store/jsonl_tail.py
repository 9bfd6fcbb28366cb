"""Follows a file of lines that another process appends to: complete lines only, and never fooled by a rewrite."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

READ_BYTES = 1 << 20
LONGEST_LINE_BYTES = 16 << 20
"""A longer line is no metrics row; it is handed out as `GARBAGE`."""

GARBAGE = b"!"
"""Stands for a line that is too long to be read."""

_REMEMBERED_BYTES = 256


class LineTail:
    """Complete lines from an offset on; a torn last line waits for its newline.

    Args:
        path: The file; it need not exist yet.
        offset: Where the first unread line starts.

    Attributes:
        offset: Where the first unread line starts now.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset
        self._skipping = False
        self._inode: int | None = None
        self._size = 0
        self._modified_ns = 0
        self._end = b""
        self._file: BinaryIO | None = None

    @property
    def size(self) -> int:
        """Size of the file when it was last looked at, bytes."""
        return self._size

    @property
    def modified_at(self) -> float:
        """When the file was last written, Unix seconds; 0 when it was never seen."""
        return self._modified_ns / 1e9

    def look(self) -> bool:
        """Whether the file changed since the last look."""
        try:
            found = self.path.stat()
        except OSError:
            changed = self._inode is not None
            self._inode, self._size, self._modified_ns = None, 0, 0
            return changed
        seen = (self._inode, self._size, self._modified_ns)
        self._inode, self._size, self._modified_ns = found.st_ino, found.st_size, found.st_mtime_ns
        return seen != (self._inode, self._size, self._modified_ns)

    def was_rewritten(self) -> bool:
        """Whether what was read is no longer what the file holds before `offset`: truncated, replaced or rewritten."""
        if self._size < self.offset:
            return True
        if self._file is not None and os.fstat(self._file.fileno()).st_ino != self._inode:
            return True
        return bool(self._end) and self._read(self.offset - len(self._end), len(self._end)) != self._end

    def read(self, most_bytes: int = READ_BYTES) -> bytes:
        """The next complete lines, about `most_bytes` of them; empty when there is none yet."""
        data, size = self._read(self.offset, most_bytes), most_bytes
        while b"\n" not in data and len(data) == size < LONGEST_LINE_BYTES:
            size = min(size * 4, LONGEST_LINE_BYTES)
            data = self._read(self.offset, size)
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) < LONGEST_LINE_BYTES:
            return b""
        lines = data[: cut or len(data)]
        self.offset += len(lines)
        self._end = lines[-_REMEMBERED_BYTES:]
        if not cut:
            self._skipping = True
            return self.read(most_bytes)
        if self._skipping:
            self._skipping = False
            lines = GARBAGE + lines[lines.index(b"\n") :]
        return lines

    def to_last_line(self) -> None:
        """Skip to the end of the last complete line, as seen by the last look."""
        start = max(self.offset, self._size - READ_BYTES)
        self.offset = start + self._read(start, self._size - start).rfind(b"\n") + 1
        self._end = b""

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, start: int, count: int) -> bytes:
        if self._file is None:
            try:
                self._file = self.path.open("rb", buffering=0)
            except OSError:
                return b""
        return os.pread(self._file.fileno(), count, start)
