"""How events, metric rows and the ledger look in the tables of the SQLite store, both ways.

Rows of the run list are `summary_rows`, which load no pydantic.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence

from pydantic_core import PydanticSerializationError

from tcao_tui.domain.events import MetricRow, RunEvent, Spend, StoredEvent, UnknownEvent, parse_event
from tcao_tui.store.summary_rows import Row

EVENT_COLUMNS = "seq, attempt, at, kind, body, metrics_before"
METRIC_COLUMNS = "seq, attempt, step, at, epoch, batch, keys, body"
SPEND_COLUMNS = "seq, kind, step, tokens, usd"


def event_body(event: RunEvent | UnknownEvent) -> bytes:
    """An event as JSON; lone surrogates in foreign text become question marks."""
    if isinstance(event, UnknownEvent):
        return json.dumps(event.body).encode()
    try:
        return event.model_dump_json().encode()
    except PydanticSerializationError:
        return json.dumps(event.model_dump(), ensure_ascii=False).encode("utf-8", "replace")


def read_event(run_id: str, row: Row) -> StoredEvent:
    """An event from `EVENT_COLUMNS`."""
    seq, attempt, at, kind, body, _ = row
    return StoredEvent(seq=seq, run_id=run_id, attempt=attempt, at=at, event=parse_event(kind, body))


def pack(values: Sequence[float]) -> bytes:
    """Numbers as little-endian float64, which keeps NaN and infinities."""
    return struct.pack(f"<{len(values)}d", *values)


def unpack(body: bytes) -> tuple[float, ...]:
    """The numbers that `pack` packed."""
    return struct.unpack(f"<{len(body) // 8}d", body)


def read_metric(row: Row, names: Mapping[int, tuple[str, ...]]) -> MetricRow:
    """A metric row from `METRIC_COLUMNS`; `names` holds the keys of each `metric_keys` number."""
    _, attempt, step, at, epoch, batch, keys, body = row
    values = dict(zip(names[keys], unpack(body), strict=True))
    return MetricRow(attempt=attempt, step=step, at=at, epoch=epoch, batch=batch, values=values)


def read_spend(row: Row) -> Spend:
    """An entry of the ledger from `SPEND_COLUMNS`."""
    _, kind, step, tokens, usd = row
    return Spend(kind=kind, step=step, tokens=tokens, usd=usd)
