"""Which container a file is: by its content first, by its extension where the content leaves it open."""

from __future__ import annotations

import orjson

from tcao_tui.data.containers.source import Source

_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}


def recognise(source: Source) -> str:
    """Name of the container; notes a content that its extension contradicts."""
    found = _by_content(source)
    suffix = source.suffix
    expected = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet"}.get(suffix)
    if expected is not None and found != expected:
        source.notes.append(f"is named {suffix} and holds {found.upper()}, read as such")
    return found


def _by_content(source: Source) -> str:
    if source.head.startswith(b"PAR1"):
        return "parquet"
    start = source.head.lstrip()[:1]
    suffix = source.suffix
    if start == b"[" and suffix not in {".csv", ".tsv"}:
        return "json"
    if suffix == ".json" and start == b"{":
        return "jsonl" if _is_lines(source.head) else "json"
    if suffix in {".csv", ".tsv"} and start != b"{":
        return suffix[1:]
    return "jsonl"


def _is_lines(head: bytes) -> bool:
    """Whether the first line is an object of its own and another follows."""
    line, _, rest = head.partition(b"\n")
    if not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False
