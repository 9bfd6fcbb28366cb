"""JSONL: one object per line."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.data.containers.json_text import decode
from tcao_tui.data.containers.lines import Lines, note_line_ends
from tcao_tui.data.containers.port import Record, too_long
from tcao_tui.data.containers.source import Source
from tcao_tui.data.rows import RowRejected


def records(source: Source) -> Iterator[Record]:
    """Rows of a JSONL file. A blank line is a bad row: a count of lines that is no count of rows misleads."""
    note_line_ends(source)
    lines = Lines(source.pieces())
    for raw in lines:
        if raw is None:
            yield lines.number, too_long("one row per line; is this JSONL?")
            continue
        try:
            row = decode(raw, torn=lines.torn)
        except RowRejected as error:
            yield lines.number, error
        else:
            yield lines.number, row
