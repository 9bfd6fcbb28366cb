"""TensorBoard's event files: length-framed, checksummed records of `tensorflow.Event` messages. Knows no runs.

Written here because the format is small and its usual writer brings a large dependency. Field numbers are those of
`event.proto`, `summary.proto` and `tensor.proto`; the framing is TFRecord's, with masked CRC-32C checksums.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache

FILE_VERSION = "brain.Event:2"
"""First record of every file; from version 2 on, readers drop what lies past a `restart`."""

_POLYNOMIAL = 0x82F63B78
_SESSION_START = 1
_STRING = 7


def crc32c(data: bytes) -> int:
    """Castagnoli checksum."""
    crc, table = 0xFFFFFFFF, _table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def record(message: bytes) -> bytes:
    """A message in its frame."""
    length = struct.pack("<Q", len(message))
    return length + struct.pack("<I", _masked(length)) + message + struct.pack("<I", _masked(message))


def version_event(at: float) -> bytes:
    """The first message of a file; `at` is Unix seconds."""
    return _event(at, 0, _text(3, FILE_VERSION))


def scalars_event(at: float, step: int, values: Mapping[str, float]) -> bytes:
    """Numbers of one step; what 32 bits cannot hold becomes an infinity."""
    summary = b"".join(_bytes(1, _text(1, tag) + _float(2, value)) for tag, value in values.items())
    return _event(at, step, _bytes(5, summary))


def text_event(at: float, step: int, tag: str, text: str) -> bytes:
    """Markdown beside the curves, as TensorBoard's text plug-in reads it: a tensor of one string."""
    metadata = _bytes(1, _text(1, "text"))
    tensor = _varint_field(1, _STRING) + _bytes(2, _bytes(2, _varint_field(1, 1))) + _text(8, text)
    value = _text(1, f"{tag}/text_summary") + _bytes(9, metadata) + _bytes(8, tensor)
    return _event(at, step, _bytes(5, _bytes(1, value)))


def restart_event(at: float, step: int) -> bytes:
    """From here on, what was written at `step` or later does not hold."""
    return _event(at, step, _bytes(7, _varint_field(1, _SESSION_START)))


def _event(at: float, step: int, what: bytes) -> bytes:
    return b"\x09" + struct.pack("<d", at) + (_varint_field(2, step) if step else b"") + what


def _masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode("utf-8", "replace"))


def _float(number: int, value: float) -> bytes:
    try:
        packed = struct.pack("<f", value)
    except OverflowError:
        packed = struct.pack("<f", float("inf") if value > 0 else float("-inf"))
    return _varint(number << 3 | 5) + packed


@cache
def _table() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return tuple(table)
