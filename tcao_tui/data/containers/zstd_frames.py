"""Whether a zstd file is whole: its decompressor ends a cut-off file without a word, and rows would be lost unseen."""

from __future__ import annotations

from typing import BinaryIO

import zstandard

_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_HEADER_BYTES = 18
_RUN_OF_ONE_BYTE = 1


def is_whole(file: BinaryIO) -> bool:
    """Whether the last frame of a file ends where the file does; stands at the beginning before and after.

    Only the headers of frames and blocks are read. What is no frame is not judged: the decompressor refuses it.
    """
    size = file.seek(0, 2)
    place = 0
    while place < size:
        file.seek(place)
        end = _end_of_frame(file, place)
        if end is None:
            break
        place = end
    file.seek(0)
    return place <= size


def _end_of_frame(file: BinaryIO, place: int) -> int | None:
    header = file.read(_HEADER_BYTES)
    if int.from_bytes(header[:4], "little") in _SKIPPABLE:
        return place + 8 + int.from_bytes(header[4:8], "little")
    try:
        has_checksum = zstandard.get_frame_parameters(header).has_checksum
        place += zstandard.frame_header_size(header)
    except zstandard.ZstdError:
        return None
    last = False
    while not last:
        file.seek(place)
        block = int.from_bytes(file.read(3).ljust(3, b"\xff"), "little")
        last, kind, length = bool(block & 1), block >> 1 & 3, block >> 3
        place += 3 + (1 if kind == _RUN_OF_ONE_BYTE else length)
    return place + 4 * has_checksum
