"""`tcao ckpt ls`, `show`, `diff`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

import click

from tcao_tui.cli.checkpoints import checkpoint_argument, counter, seconds_of
from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import backend_option, output_option
from tcao_tui.cli.render import checkpoints as render
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.checkpoint_table import SORT_KEYS, CheckpointFilter, filtered, ordered, tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tcao_tui.domain.checkpoint_listing import CheckpointKind, CheckpointListing
    from tcao_tui.domain.checkpoint_table import SortKey


@click.command(
    epilog="""\b
Examples:
  tcao ckpt ls                                     newest first
  tcao ckpt ls --run demo --kind training --sort step
  tcao ckpt ls --older-than 30d --sort size
  tcao ckpt ls --output json | jq -r '.checkpoints[].path'
"""
)
@click.option("--run", default="", metavar="TEXT", help="Part of a run's id or name, or of the server's training run.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(["training", "sampler", "external"]), help="Repeatable."
)
@click.option("--model", default="", metavar="TEXT", help="Part of the base model's name.")
@click.option("--older-than", metavar="TIME", help="Saved at least so long ago: 12h, 7d, 2w.")
@click.option("--pinned", is_flag=True, help="Only pinned ones.")
@click.option("--ours", is_flag=True, help="Only those that a run here saved.")
@click.option("--sort", type=click.Choice(SORT_KEYS), default="age", show_default=True, help="Order of the list.")
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option("--tree", "as_tree", is_flag=True, help="Under a line for each run.")
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most so many.")
@backend_option()
@output_option("text", "json", "stream-json")
@pass_context
def ls(
    console: CliContext,
    *,
    run: str,
    kinds: Sequence[str],
    model: str,
    older_than: str | None,
    pinned: bool,
    ours: bool,
    sort: str,
    reverse: bool,
    as_tree: bool,
    limit: int | None,
    backend: str | None,
) -> None:
    """List checkpoints with run, step, size, age, expiry, scores by layer, and what keeping them costs."""
    now = time.time()
    wanted = CheckpointFilter(
        run=run,
        kind=frozenset(cast("Sequence[CheckpointKind]", kinds)),
        model=model,
        older_than_seconds=seconds_of(older_than) if older_than else None,
        pinned_only=pinned,
        ours_only=ours,
    )
    with counter(console, backend) as open_counter:
        listing = open_counter.desk.listing()
    chosen = ordered(filtered(listing.checkpoints, wanted, now=now), cast("SortKey", sort), reverse=reverse)[:limit]
    if as_tree:
        chosen = [checkpoint for members in tree(chosen).values() for checkpoint in members]
    match console.output:
        case "json":
            rows = [render.checkpoint_dict(c) for c in chosen]
            told = {"checkpoints": rows, "missing": dict(listing.offers.missing), "notes": list(listing.notes)}
            console.result(to_json(told, indent=2))
        case "stream-json":
            for checkpoint in chosen:
                console.result(to_json(render.checkpoint_dict(checkpoint)))
        case "text":
            if chosen:
                console.result("\n".join(render.listing_lines(chosen, now, console.style, as_tree=as_tree)))
            console.progress(render.total_line(chosen, len(listing.checkpoints)))
            _tell_notes(console, listing)


@click.command(epilog="\b\nExamples:\n  tcao ckpt show latest\n  tcao ckpt show demo:40 --output json")
@checkpoint_argument()
@backend_option()
@output_option("text", "json")
@pass_context
def show(console: CliContext, reference: str, backend: str | None) -> None:
    """Show CKPT: what was trained, its scores by layer, where the weights come from, and all that the server keeps."""
    from tcao_tui.services.checkpoint_details import details

    with counter(console, backend, (reference,)) as open_counter:
        listing, rows = open_counter.named((reference,))
        found = details(open_counter.helper, console.runs_root, rows[0], listing)
    if console.wants_json:
        console.result(to_json(render.details_dict(found), indent=2))
        return
    console.result("\n".join(render.details_lines(found, time.time(), console.style)))
    for row in rows[1:]:
        console.progress(f"also: {row.path}")
    _tell_notes(console, listing)


@click.command(epilog="\b\nExamples:\n  tcao ckpt diff demo:20 demo:80\n  tcao ckpt diff first second --output json")
@click.argument("one", metavar="CKPT")
@click.argument("other", metavar="CKPT")
@backend_option()
@output_option("text", "json")
@pass_context
def diff(console: CliContext, one: str, other: str, backend: str | None) -> None:
    """Say in which settings of their runs two checkpoints differ; data is compared by content."""
    from tcao_tui.domain.comparison import differences
    from tcao_tui.services.checkpoint_details import settings_at

    with counter(console, backend, (one, other)) as open_counter:
        rows = [open_counter.named((name,))[1][0] for name in (one, other)]
    found = differences([settings_at(console.runs_root, row) for row in rows])
    if console.wants_json:
        told = [{"setting": d.path, "values": list(d.values)} for d in found]
        console.result(to_json({"checkpoints": [row.path for row in rows], "differences": told}, indent=2))
    elif found:
        console.result("\n".join(render.difference_lines((one, other), found, console.style)))
    else:
        console.progress("no setting that is known of both differs")


def _tell_notes(console: CliContext, listing: CheckpointListing) -> None:
    for note in (*listing.notes, *listing.offers.missing.values()):
        console.progress(console.style(note, dim=True))
