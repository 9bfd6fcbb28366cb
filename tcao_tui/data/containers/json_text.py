"""One row of JSON out of its bytes: at orjson's speed where it is sound, else looked at again to name what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import orjson

from tcao_tui.data.rows import RowRejected

_SPACED_KEY = re.compile(rb'"[ \t\r\n]+:')


class _Duplicated(ValueError):
    """A key appears twice in one object."""


def decode(raw: bytes, *, torn: bool = False) -> dict[str, Any]:
    """The object that `raw` holds.

    Args:
        raw: JSON text in UTF-8; one line or several.
        torn: The file ends here without a newline, so that broken JSON means a write that was cut off.

    Raises:
        RowRejected: It holds something else.
    """
    try:
        row: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _decode_slowly(raw, torn=torn)
    if isinstance(row, dict) and _has_each_key_once(raw, cast("dict[str, Any]", row)):
        return cast("dict[str, Any]", row)
    return _decode_slowly(raw, torn=torn)


def _has_each_key_once(raw: bytes, row: dict[str, Any]) -> bool:
    """Whether it is certain that no key stands twice in an object, which orjson would not tell.

    Every key has a colon, and one with a quote before it. Where the text holds as many of these as there are keys in
    what was read, none was dropped; a text that allows no such count is looked at again.
    """
    keys = _keys(row)
    if raw.count(b":") == keys:
        return True
    pairs = raw.count(b'":')
    if pairs != keys:
        pairs -= raw.count(b'\\":')
        if pairs != keys or b'\\\\":' in raw:
            return False
    return _SPACED_KEY.search(raw) is None


def _keys(value: dict[str, Any]) -> int:
    count = len(value)
    for item in value.values():
        kind = type(item)
        if kind is dict:
            count += _keys(item)
        elif kind is list:
            count += _keys_in_list(item)
    return count


def _keys_in_list(items: list[Any]) -> int:
    count = 0
    for item in items:
        kind = type(item)
        if kind is dict:
            count += _keys(item)
        elif kind is list:
            count += _keys_in_list(item)
    return count


def _decode_slowly(raw: bytes, *, torn: bool) -> dict[str, Any]:
    text = _text(raw)
    try:
        row: object = json.loads(text, object_pairs_hook=_unique)
    except _Duplicated as error:
        raise RowRejected(str(error), "keep one of the two") from None
    except json.JSONDecodeError as error:
        raise _why_not(text, error, torn=torn) from None
    except RecursionError:
        raise RowRejected("nested too deeply", "a row is a flat object") from None
    except ValueError:
        raise RowRejected("holds a number of too many digits", "write it as text") from None
    if not isinstance(row, dict):
        raise RowRejected(f"a JSON {type(row).__name__}, not an object", "write one JSON object per line")
    return cast("dict[str, Any]", row)


def _text(raw: bytes) -> str:
    if b"\x00" in raw:
        raise RowRejected("contains a NUL byte", "the file is damaged or not text: write it again")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        what = f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not UTF-8"
        raise RowRejected(what, "save the file as UTF-8") from None
    if not text.strip():
        raise RowRejected("blank line", "remove it")
    return text


def _why_not(text: str, error: json.JSONDecodeError, *, torn: bool) -> RowRejected:
    if error.msg == "Extra data":
        return RowRejected(
            f"text follows after the end of the row, at column {error.colno}", "write one JSON object per line"
        )
    if torn:
        return RowRejected("the file ends inside this row", "the write was cut off: complete or remove it")
    place = f"column {error.colno}" if error.lineno == 1 else f"column {error.colno} of its line {error.lineno}"
    return RowRejected(f"not JSON: {error.msg} at {place}", "write one JSON object per line")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Duplicated(f"key {twice!r} appears twice")
    return row
