"""One checkpoint in full as lines: path, what it is, where it comes from, scores, metadata, what differs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.cells import chop_cells

from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import age_text, bytes_text, duration_text
from tcao_tui.tui.panes.checkpoints.table import month_text, name_text, run_text, score_text
from tcao_tui.tui.status import status_span
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import wrapped

if TYPE_CHECKING:
    from tcao_tui.domain.comparison import Difference
    from tcao_tui.services.checkpoint_details import CheckpointDetails

_LABEL, _HANGING = 10, 2
_VALUE_WIDTH = 40
_MOST_DIFFERENCES = 40


@dataclass(frozen=True, slots=True)
class Details:
    """What was looked up for the checkpoint under the cursor.

    Attributes:
        path: Which one it is.
        found: What the server and the run say of it; None while there is no answer.
        other: The checkpoint it is held against; None for none.
        differences: Settings of the two that are not the same, this one's value first.
        problem: Why something of it is missing; empty when nothing is.
    """

    path: str
    found: CheckpointDetails | None = None
    other: ListedCheckpoint | None = None
    differences: tuple[Difference, ...] = ()
    problem: str = ""


def details_lines(checkpoint: ListedCheckpoint, looked_up: Details | None, width: int, now: float) -> list[Line]:
    """Everything that is known of a checkpoint, the path first so that it can be selected with the mouse."""
    is_this = looked_up is not None and looked_up.path == checkpoint.path
    found = looked_up if is_this else None
    made = found.found if found else None
    entries = [
        ("path", _plain(checkpoint.path, "strong")),
        *(_differences(found) if found else ()),
        ("is", _what(checkpoint, now)),
        ("from", _origin(checkpoint)),
        ("model", _model(checkpoint, made)),
        ("keeps", _storage(checkpoint, now)),
        ("scores", _scores(checkpoint)),
        ("metadata", _plain(" · ".join(f"{k}={v}" for k, v in checkpoint.server.metadata.items()), "muted")),
    ]
    if made is not None:
        entries += [("lineage" if i == 0 else "", _plain(line, "text")) for i, line in enumerate(made.ancestry)]
        entries.append(("console", _plain(made.weights.console_url, "info")))
    if found is not None:
        entries.append(("note", _plain(found.problem, "warn")))
    return [line for label, value in entries if value for line in _entry(label, value, width)]


def _entry(label: str, value: Sequence[Span], width: int) -> list[Line]:
    """Label and value; what wraps is indented further, so that it is not taken for the next value."""
    head: Span = (f" {label.ljust(_LABEL)}", "muted")
    if len(value) > 1 and sum(len(text) for text, _ink in value) < width - _LABEL:
        return [(head, *value)]
    text, ink = "".join(text for text, _ink in value), value[0][1] if len(value) == 1 else "text"
    room = max(width - _LABEL - _HANGING - 2, 8)
    # A path is cut where the line ends: a break at one of its hyphens would look like a hyphenated word.
    first, *rest = chop_cells(text, room) if text.startswith("tinker://") else wrapped(text, room)
    return [(head, (first, ink)), *(((" " * (_LABEL + 1 + _HANGING), "text"), (line, ink)) for line in rest)]


def _plain(text: str, ink: str) -> Sequence[Span]:
    return ((one_line(text), ink),) if text else ()


def _what(checkpoint: ListedCheckpoint, now: float) -> Sequence[Span]:
    server, own, note = checkpoint.server, checkpoint.own, checkpoint.note
    kinds = {"training": "training state", "sampler": "weights to sample from", "external": "weights to download"}
    parts: list[str] = [f"“{one_line(note.label)}”"] if note.label else []
    parts.append(kinds[server.kind])
    if own is not None:
        parts.append(f"step {own.step}" + (f", saved as {own.reason}" if own.reason else ", recorded by no attempt"))
    parts += ["pinned"] if note.pinned else []
    parts += ["public"] if server.public else []
    if server.created_at is not None:
        parts.append(f"{_moment(server.created_at)} ({_ago(now - server.created_at)})")
    spans: list[Span] = [(" · ".join(parts), "text")]
    if checkpoint.is_resume_point:
        spans.append((" · its run would go on from here", "accent"))
    if own is not None and own.superseded:
        spans.append((" · a later attempt went back behind it", "warn"))
    return spans


def _origin(checkpoint: ListedCheckpoint) -> Sequence[Span]:
    own, run = checkpoint.own, checkpoint.training_run
    if own is None:
        corrupted: Sequence[Span] = ((" · its training failed on the server", "bad"),) if run and run.corrupted else ()
        return ((f"training run {one_line(checkpoint.server.training_run)}, of no run here", "muted"), *corrupted)
    parts = [f"{one_line(own.run_name)} ({own.run_id})", f"attempt {own.attempt}"]
    parts += [f"stage {one_line(own.stage)}"] if own.stage else []
    parts += [f"went on from {one_line(own.resumed_from)}"] if own.resumed_from else []
    text, ink = status_span(own.status)
    return ((" · ".join(parts) + " · ", "text"), (text, ink))


def _model(checkpoint: ListedCheckpoint, made: CheckpointDetails | None) -> Sequence[Span]:
    info = made.weights if made else None
    model = checkpoint.base_model or (info.base_model if info else None)
    rank = checkpoint.lora_rank or (info.lora_rank if info else None)
    parts = [one_line(model)] if model else []
    parts += [f"LoRA rank {rank}"] if rank else []
    if info is not None:
        trained = {"attention": info.train_attn, "MLP": info.train_mlp, "unembedding": info.train_unembed}
        if any(trained.values()):
            parts.append(f"trains {', '.join(name for name, is_trained in trained.items() if is_trained)}")
    return ((" · ".join(parts), "text"),) if parts else ()


def _storage(checkpoint: ListedCheckpoint, now: float) -> Sequence[Span]:
    server = checkpoint.server
    parts = [bytes_text(server.size_bytes)] if server.size_bytes is not None else []
    if checkpoint.storage_usd_per_month is not None:
        parts.append(f"{month_text(checkpoint.storage_usd_per_month)} a month")
    if server.expires_at is None:
        parts.append("no expiry is set")
    else:
        left = server.expires_at - now
        parts.append(f"expires {_moment(server.expires_at)}" + (f", in {duration_text(left)}" if left > 0 else ""))
    return ((" · ".join(parts), "text"),)


def _scores(checkpoint: ListedCheckpoint) -> Sequence[Span]:
    scores = checkpoint.own.scores if checkpoint.own else ()
    return _plain(" · ".join(f"layer {s.layer} {s.name} {score_text(s)}" for s in scores), "text")


def _differences(found: Details) -> list[tuple[str, Sequence[Span]]]:
    if found.other is None:
        return []
    other = f"{run_text(found.other)} {name_text(found.other)}"
    if not found.differences:
        return [("differs", _plain(f"in nothing that is configured from {other}", "muted"))]
    entries: list[tuple[str, Sequence[Span]]] = [("differs", _plain(f"from {other}, as here → there:", "muted"))]
    for difference in found.differences[:_MOST_DIFFERENCES]:
        here, there = (one_line(str(value), _VALUE_WIDTH) for value in difference.values)
        entries.append(("", _plain(f"{difference.path}  {here} → {there}", "text")))
    if (more := len(found.differences) - _MOST_DIFFERENCES) > 0:
        entries.append(("", _plain(f"and {more} more", "muted")))
    return entries


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _ago(seconds: float) -> str:
    text = age_text(seconds)
    return text if text == "now" else f"{text} ago"
