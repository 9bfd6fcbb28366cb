"""`tcao ckpt ttl`, `keep`, `pin`, `unpin`, `label`, `publish`, `unpublish`, `delete`, `prune`, `guard`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.checkpoints import carry_out, checkpoint_argument, consent, counter, report_action, seconds_of
from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import backend_option, output_option
from tcao_tui.cli.render import checkpoints as render
from tcao_tui.cli.render.json import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tcao_tui.domain.pruning import Pruning

_confirm_option = click.option("--confirm", default="", metavar="TEXT", help="What would have to be typed.")
_yes_option = click.option("--yes", is_flag=True, help="Do it although something may be lost.")


@click.command(epilog="\b\nExamples:\n  tcao ckpt ttl demo:40 14d\n  tcao ckpt ttl latest never")
@checkpoint_argument(many=True)
@click.argument("after", metavar="TIME")
@_yes_option
@backend_option()
@output_option("text", "json")
@pass_context
def ttl(console: CliContext, references: Sequence[str], after: str, yes: bool, backend: str | None) -> None:
    """Let the server delete CKPT... after TIME (12h, 7d, 2w; one hour to ten years), or `never`."""
    if after == "never":
        carry_out(console, references, "keep", backend=backend)
    else:
        carry_out(console, references, "ttl", backend=backend, yes=yes, ttl_seconds=seconds_of(after))


@click.command()
@checkpoint_argument(many=True)
@backend_option()
@output_option("text", "json")
@pass_context
def keep(console: CliContext, references: Sequence[str], backend: str | None) -> None:
    """Remove the expiry of CKPT...: they stay until somebody deletes them."""
    carry_out(console, references, "keep", backend=backend)


@click.command()
@checkpoint_argument(many=True)
@backend_option()
@output_option("text", "json")
@pass_context
def pin(console: CliContext, references: Sequence[str], backend: str | None) -> None:
    """Keep CKPT...: no expiry, and neither their run nor `prune` deletes them."""
    carry_out(console, references, "pin", backend=backend)


@click.command()
@checkpoint_argument(many=True)
@backend_option()
@output_option("text", "json")
@pass_context
def unpin(console: CliContext, references: Sequence[str], backend: str | None) -> None:
    """Let CKPT... be thinned out and pruned again."""
    carry_out(console, references, "unpin", backend=backend)


@click.command(epilog="\b\nExamples:\n  tcao ckpt label demo:40 'best tone'\n  tcao ckpt label demo:40 ''")
@checkpoint_argument(many=True)
@click.argument("text", metavar="LABEL")
@backend_option()
@output_option("text", "json")
@pass_context
def label(console: CliContext, references: Sequence[str], text: str, backend: str | None) -> None:
    """Give CKPT... a LABEL, kept on this machine; an empty one removes it."""
    carry_out(console, references, "label", backend=backend, label=text)


@click.command()
@checkpoint_argument(many=True)
@_confirm_option
@backend_option()
@output_option("text", "json")
@pass_context
def publish(console: CliContext, references: Sequence[str], confirm: str, backend: str | None) -> None:
    """Let every user of the server who knows the path load CKPT...; asks for the word `publish`."""
    carry_out(console, references, "publish", backend=backend, confirm=confirm)


@click.command()
@checkpoint_argument(many=True)
@backend_option()
@output_option("text", "json")
@pass_context
def unpublish(console: CliContext, references: Sequence[str], backend: str | None) -> None:
    """Make CKPT... yours alone again."""
    carry_out(console, references, "unpublish", backend=backend)


@click.command(epilog="\b\nExamples:\n  tcao ckpt delete demo:40\n  tcao ckpt delete demo:40 --confirm 'delete 2'")
@checkpoint_argument(many=True)
@_confirm_option
@backend_option()
@output_option("text", "json")
@pass_context
def delete(console: CliContext, references: Sequence[str], confirm: str, backend: str | None) -> None:
    """Delete CKPT... for good; asks for the name of one, or for `delete N` of several."""
    carry_out(console, references, "delete", backend=backend, confirm=confirm)


@click.command(
    epilog="""\b
Examples:
  tcao ckpt prune                          show what would be deleted
  tcao ckpt prune --run demo --keep-last 1 --best-by val_mean_nll
  tcao ckpt prune --confirm 1a2b3c4d       delete exactly what was shown
"""
)
@click.option("--keep-last", type=click.IntRange(min=0), default=2, show_default=True, help="Furthest steps of a run.")
@click.option("--best-by", default="", metavar="SCORE", help="Keep the best by this one; otherwise by each score.")
@click.option("--run", default="", metavar="TEXT", help="Only runs with this in their id or name.")
@click.option("--foreign", is_flag=True, help="Also those that no run here saved, by age.")
@click.option("--confirm", default="", metavar="DIGEST", help="Delete, if it is still what was shown.")
@backend_option()
@output_option("text", "json")
@pass_context
def prune(
    console: CliContext,
    *,
    keep_last: int,
    best_by: str,
    run: str,
    foreign: bool,
    confirm: str,
    backend: str | None,
) -> None:
    """Keep of each run the last steps, the best, results, what is pinned or may be resumed from; delete the rest.

    Shows first what that is. Only its digest has it deleted, and only while it is still the same.
    """
    from tcao_tui.domain.checkpoint_actions import Consequences
    from tcao_tui.domain.checkpoint_table import CheckpointFilter, filtered
    from tcao_tui.domain.pruning import PrunePolicy
    from tcao_tui.domain.pruning import prune as judge

    with counter(console, backend) as open_counter:
        listing = open_counter.desk.listing()
        among = filtered(listing.checkpoints, CheckpointFilter(run=run), now=time.time())
        shown = judge(among, PrunePolicy(keep_last=keep_last, best_by=best_by, foreign=foreign))
        if not confirm:
            _show(console, shown)
            if not shown.delete or not console.is_interactive:
                return
            count = f"{len(shown.delete)} checkpoints will be deleted from the server for good."
            said = Consequences((count,), confirm=shown.digest, warns=True)
            confirm = consent(console, said, "delete them", confirm="", yes=False)
        report = open_counter.desk.prune(shown, digest=confirm)
    report_action(console, "delete", report)


def _show(console: CliContext, shown: Pruning) -> None:
    if console.wants_json:
        console.result(to_json(render.pruning_dict(shown), indent=2))
        return
    if shown.delete or shown.kept:
        console.result("\n".join(render.pruning_lines(shown, console.style)))
    console.progress(f"would delete: {render.total_line(shown.delete, len(shown.delete))}")
    if shown.delete:
        console.progress(f"to delete exactly these: the same command with --confirm {shown.digest}")


@click.command(epilog="\b\nExamples:\n  tcao ckpt guard          once a week, such as by cron")
@backend_option()
@output_option("text", "json")
@pass_context
def guard(console: CliContext, backend: str | None) -> None:
    """Let resume points of runs that are paused or down live for two weeks more when they have less than one left.

    While a worker trains, it does that itself; an open console does it too.
    """
    with counter(console, backend) as open_counter:
        report = open_counter.desk.guard(open_counter.desk.listing())
    report_action(console, "extended", report)
    if not console.wants_json and not report.done and not report.failed:
        console.progress("no resume point of a run that is paused or down is about to expire")
