"""A few hundred rows out of a long `metrics.jsonl`, read in milliseconds: its head, its tail and probes between."""

from __future__ import annotations

from pathlib import Path

from tcao_tui.domain.series import Series
from tcao_tui.store.cookbook_rows import RowFold

_END_BYTES = 1 << 16
_PROBES = 600
_ROWS_PER_PROBE_WINDOW = 3


def add_sample(fold: RowFold[Series], path: Path, start: int, stop: int) -> int:
    """Fold a sample of the lines between two line starts of a file.

    Args:
        fold: Takes the rows; its counts then speak of the sample.
        path: The file.
        start: First byte of a line.
        stop: Just past the newline of the last line to read.

    Returns:
        Estimated number of lines between `start` and `stop`.
    """
    sampled, size = 0, 0
    with path.open("rb", buffering=0) as file:

        def window(at: int, count: int) -> list[bytes]:
            file.seek(at)
            return file.read(min(count, stop - at)).split(b"\n")[:-1]

        head = window(start, min(_END_BYTES, stop - start))
        row_bytes = max(64, sum(map(len, head)) // max(1, len(head)) + 1)
        tail_from = max(start, stop - _END_BYTES)
        lines = list(head)
        for i in range(1, _PROBES + 1):
            at = start + _END_BYTES + (tail_from - start - _END_BYTES) * i // (_PROBES + 1)
            if start + _END_BYTES < at < tail_from:
                lines += window(at, _ROWS_PER_PROBE_WINDOW * row_bytes)[1:2]
        lines += window(tail_from, _END_BYTES)[1:] if tail_from > start else []
    for line in lines:
        fold.add_line(line)
        sampled, size = sampled + 1, size + len(line) + 1
    return (stop - start) * sampled // size if size else 0
