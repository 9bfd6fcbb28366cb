"""Whether a zstd file is whole: its decompressor ends a cut-off file without a word, and rows would be lost unseen."""

from __future__ import annotations

from typing import BinaryIO

import zstandard

from tcao_tui.data.rows import RowRejected

_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_HEADER_BYTES = 18
_RUN_OF_ONE_BYTE = 1


def check_whole(file: BinaryIO) -> None:
    """Walk over the frames and blocks of a file from its beginning, reading only their headers, and go back there.

    Raises:
        RowRejected: The last frame is cut off, or this is no zstd.
    """
    size = file.seek(0, 2)
    place = 0
    while place < size:
        file.seek(place)
        place = _end_of_frame(file, place)
    file.seek(0)
    if place > size:
        raise RowRejected("the zst data are cut off", "compress or download the file again")


def _end_of_frame(file: BinaryIO, place: int) -> int:
    header = file.read(_HEADER_BYTES)
    if int.from_bytes(header[:4], "little") in _SKIPPABLE:
        return place + 8 + int.from_bytes(header[4:8], "little")
    try:
        has_checksum = zstandard.get_frame_parameters(header).has_checksum
        place += zstandard.frame_header_size(header)
    except zstandard.ZstdError as error:
        raise RowRejected(f"the zst data are damaged: {error}", "compress or download the file again") from None
    last = False
    while not last:
        file.seek(place)
        block = int.from_bytes(file.read(3).ljust(3, b"\xff"), "little")
        last, kind, length = bool(block & 1), block >> 1 & 3, block >> 3
        place += 3 + (1 if kind == _RUN_OF_ONE_BYTE else length)
    return place + 4 * has_checksum
