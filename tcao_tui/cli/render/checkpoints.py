"""Checkpoints as text and as plain values for JSON. Text from servers goes through `plain_text` here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.checkpoint_listing import ListedCheckpoint, total_storage
from tcao_tui.domain.checkpoint_table import tree
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import UNKNOWN, bytes_text, duration_text, money_text, number_text

if TYPE_CHECKING:
    from tcao_tui.domain.comparison import Difference
    from tcao_tui.domain.pruning import Pruning
    from tcao_tui.services.checkpoint_details import CheckpointDetails
    from tcao_tui.services.checkpoints import ActionReport

HEADER = (
    "RUN",
    "STEP",
    "KIND",
    "MODEL",
    "RANK",
    "SIZE",
    "AGE",
    "EXPIRES",
    "PUBLIC",
    "L1",
    "L2",
    "L3",
    "$/MONTH",
    "NOTE",
)
_NUMBERS = frozenset({1, 4, 5, 6, 7, 9, 10, 11, 12})
_SHOWN_PATHS = 10
_SOON_SECONDS = 7 * 24 * 3600


def listing_lines(checkpoints: Sequence[ListedCheckpoint], now: float, style: Style, *, as_tree: bool) -> list[str]:
    """The table, each row with its path at the end; as a tree, under a line for each run."""
    groups = tree(checkpoints) if as_tree else {"": checkpoints}
    ordered = [checkpoint for members in groups.values() for checkpoint in members]
    lines = table((*HEADER, "PATH"), [(*_cells(c, now), one_line(c.path)) for c in ordered], right=_NUMBERS)
    header, rows = style(lines[0].rstrip(), dim=True), [line.rstrip() for line in lines[1:]]
    rows = [style(row, "yellow") if _expires_soon(c, now) else row for row, c in zip(rows, ordered, strict=True)]
    if not as_tree:
        return [header, *rows]
    told, place = [header], 0
    for members in groups.values():
        told.append(style(_group_title(members), bold=True))
        told += [f"  {row}" for row in rows[place : place + len(members)]]
        place += len(members)
    return told


def _cells(checkpoint: ListedCheckpoint, now: float) -> tuple[str, ...]:
    server, own = checkpoint.server, checkpoint.own
    expires = UNKNOWN if server.expires_at is None else duration_text(server.expires_at - now)
    return (
        one_line(own.run_name if own else server.training_run, 24),
        str(own.step) if own else UNKNOWN,
        server.kind,
        one_line(checkpoint.base_model or UNKNOWN, 28),
        UNKNOWN if checkpoint.lora_rank is None else str(checkpoint.lora_rank),
        bytes_text(server.size_bytes),
        UNKNOWN if server.created_at is None else duration_text(now - server.created_at),
        expires,
        {None: UNKNOWN, True: "public", False: "no"}[server.public],
        *(_score(checkpoint, layer) for layer in (1, 2, 3)),
        money_text(checkpoint.storage_usd_per_month),
        _note(checkpoint),
    )


def _score(checkpoint: ListedCheckpoint, layer: Literal[1, 2, 3]) -> str:
    score = checkpoint.score(layer)
    return number_text(score.value if score else None)


def _note(checkpoint: ListedCheckpoint) -> str:
    own = checkpoint.own
    words = ["pinned"] if checkpoint.note.pinned else []
    words += ["resume point"] if checkpoint.is_resume_point else []
    words += [own.reason] if own and own.reason in ("final", "stage") else []
    words += ["superseded"] if own and own.superseded else []
    return ", ".join([*words, *([one_line(checkpoint.note.label, 40)] if checkpoint.note.label else [])])


def _expires_soon(checkpoint: ListedCheckpoint, now: float) -> bool:
    expires_at = checkpoint.server.expires_at
    return expires_at is not None and expires_at - now < _SOON_SECONDS and checkpoint.is_resume_point


def _group_title(members: Sequence[ListedCheckpoint]) -> str:
    own, server = members[0].own, members[0].server
    name = f"{one_line(own.run_name)}  {one_line(own.run_id)}  {own.status}" if own else one_line(server.training_run)
    size, usd, unknown = total_storage(members)
    more = f", {unknown} of unknown size" if unknown else ""
    return f"{name}  {len(members)} checkpoints, {bytes_text(size)}{more}, {money_text(usd)} a month"


def total_line(checkpoints: Sequence[ListedCheckpoint], of: int) -> str:
    """How many there are, and what keeping them costs."""
    size, usd, unknown = total_storage(checkpoints)
    shown = f"{len(checkpoints)} of {of} checkpoints" if len(checkpoints) != of else f"{of} checkpoints"
    more = f" and {unknown} of unknown size" if unknown else ""
    return f"{shown}, {bytes_text(size)}{more}, storage {money_text(usd)} a month"


def checkpoint_dict(checkpoint: ListedCheckpoint) -> dict[str, Any]:
    """One row for scripts; null is unknown."""
    server, own = checkpoint.server, checkpoint.own
    return {
        **server.model_dump(mode="json"),
        "base_model": checkpoint.base_model,
        "lora_rank": checkpoint.lora_rank,
        "storage_usd_per_month": checkpoint.storage_usd_per_month,
        "label": checkpoint.note.label,
        "pinned": checkpoint.note.pinned,
        "is_resume_point": checkpoint.is_resume_point,
        "run": None
        if own is None
        else {
            "run_id": own.run_id,
            "name": own.run_name,
            "status": str(own.status),
            "attempt": own.attempt,
            "step": own.step,
            "stage": own.stage or None,
            "reason": own.reason,
            "superseded": own.superseded,
            "scores": [{"layer": s.layer, "name": s.name, "value": s.value} for s in own.scores],
        },
    }


def details_lines(details: CheckpointDetails, now: float, style: Style) -> list[str]:
    """One checkpoint in full."""
    checkpoint = details.checkpoint
    server, own, weights = checkpoint.server, checkpoint.own, details.weights
    expires = "kept" if server.expires_at is None else f"in {duration_text(server.expires_at - now)}"
    layers = {"mlp": weights.train_mlp, "attention": weights.train_attn, "unembedding": weights.train_unembed}
    pairs = [
        ("path", server.path),
        ("kind", server.kind),
        ("model", f"{checkpoint.base_model or UNKNOWN}  rank {checkpoint.lora_rank or weights.lora_rank or UNKNOWN}"),
        ("lora on", ", ".join(name for name, on in layers.items() if on) or UNKNOWN),
        ("size", f"{bytes_text(server.size_bytes)}  {money_text(checkpoint.storage_usd_per_month)} a month"),
        ("age", UNKNOWN if server.created_at is None else duration_text(now - server.created_at)),
        ("expires", expires),
        ("public", {None: UNKNOWN, True: "yes", False: "no"}[server.public]),
        ("note", _note(checkpoint) or UNKNOWN),
        *((f"layer {s.layer}", f"{s.name} {number_text(s.value)}") for s in (own.scores if own else ())),
        *(("lineage", ancestor) for ancestor in details.ancestry),
        *((f"meta {key}", value) for key, value in server.metadata.items()),
        *([("console", weights.console_url)] if weights.console_url else []),
    ]
    width = max(len(one_line(name, 24)) for name, _ in pairs)
    return [f"{style(one_line(name, 24).ljust(width), dim=True)}  {one_line(text)}" for name, text in pairs]


def details_dict(details: CheckpointDetails) -> dict[str, Any]:
    """One checkpoint for scripts."""
    return {
        **checkpoint_dict(details.checkpoint),
        "weights": details.weights.model_dump(mode="json"),
        "lineage": list(details.ancestry),
        "settings": dict(details.settings),
    }


def difference_lines(names: Sequence[str], differences: Sequence[Difference], style: Style) -> list[str]:
    """What is not the same, a line for each setting."""
    rows = [(one_line(d.path), *(one_line(str(value), 48) for value in d.values)) for d in differences]
    lines = table(("SETTING", *(one_line(name) for name in names)), rows)
    return [style(lines[0].rstrip(), dim=True), *(line.rstrip() for line in lines[1:])]


def pruning_lines(pruning: Pruning, style: Style) -> list[str]:
    """What a prune would delete and keep."""
    rows = [("delete", _what(c), "", one_line(c.path)) for c in pruning.delete]
    rows += [("keep", _what(c), reason, one_line(c.path)) for c, reason in pruning.kept]
    lines = [line.rstrip() for line in table(("", "CHECKPOINT", "WHY", "PATH"), rows)]
    gone = len(pruning.delete)
    return [
        style(lines[0], dim=True),
        *(style(line, "red") if number < gone else line for number, line in enumerate(lines[1:])),
    ]


def pruning_dict(pruning: Pruning) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "digest": pruning.digest,
        "delete": [c.path for c in pruning.delete],
        "keep": [{"path": c.path, "why": reason} for c, reason in pruning.kept],
    }


def report_lines(report: ActionReport, action: str) -> list[str]:
    """What was done, and what failed."""
    lines = [f"{action}: {one_line(path)}" for path in report.done[:_SHOWN_PATHS]]
    more = len(report.done) - _SHOWN_PATHS
    lines += [f"... and {more} more"] if more > 0 else []
    return lines + [f"failed: {one_line(path)}: {one_line(error, 200)}" for path, error in report.failed]


def _what(checkpoint: ListedCheckpoint) -> str:
    own = checkpoint.own
    return f"{one_line(own.run_name, 24)} step {own.step} {checkpoint.server.kind}" if own else checkpoint.server.kind
