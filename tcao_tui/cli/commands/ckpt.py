"""`tcao ckpt`: the checkpoints of a server. This is the group; commands are in `ckpt_look` and `ckpt_act`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import click

from tcao_tui.cli.group import LazyGroup

_LOOK = "tcao_tui.cli.commands.ckpt_look:"
_ACT = "tcao_tui.cli.commands.ckpt_act:"


class _Commands(LazyGroup):
    table: ClassVar[Mapping[str, tuple[str, str]]] = {
        "ls": (f"{_LOOK}ls", "List all checkpoints of the server, ours and others'."),
        "show": (f"{_LOOK}show", "Show one: weights, scores, lineage."),
        "diff": (f"{_LOOK}diff", "Say how two were trained differently."),
        "ttl": (f"{_ACT}ttl", "Let some expire after a time, or never."),
        "keep": (f"{_ACT}keep", "Remove the expiry of some."),
        "pin": (f"{_ACT}pin", "Keep some: no expiry, no thinning out, no prune."),
        "unpin": (f"{_ACT}unpin", "Let some be thinned out and pruned again."),
        "label": (f"{_ACT}label", "Give one a name of your own."),
        "publish": (f"{_ACT}publish", "Let every user of the server load some."),
        "unpublish": (f"{_ACT}unpublish", "Take that back."),
        "delete": (f"{_ACT}delete", "Delete some for good."),
        "prune": (f"{_ACT}prune", "Delete what a policy does not keep; shows it first."),
        "guard": (f"{_ACT}guard", "Keep resume points of runs that are paused or down alive."),
    }


@click.group(
    cls=_Commands,
    epilog="""\b
CKPT is a tinker:// path, RUN:STEP, or RUN for its final or furthest weights:
  tcao ckpt ls --run latest
  tcao ckpt show latest
  tcao ckpt ttl demo:40 14d
  tcao ckpt delete tinker://.../weights/001-000040
""",
)
def ckpt() -> None:
    """Checkpoints of a server: list, keep, share, delete; each action says first what it does."""
