"""A row as a line of JSONL, with the values it had in its file."""

from __future__ import annotations

import json
from typing import Any

import orjson


def row_bytes(record: dict[str, Any]) -> bytes:
    """The line, newline included. Values that JSON does not have, as Parquet may hold them, become text."""
    try:
        return orjson.dumps(record, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # numbers beyond 64 bits, halves of surrogate pairs
        return json.dumps(record, default=str).encode() + b"\n"
