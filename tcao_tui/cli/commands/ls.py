"""`tcao ls`: the run list."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatch

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option
from tcao_tui.cli.render.json import summary_dict, to_json
from tcao_tui.cli.render.text import runs_table
from tcao_tui.domain.headlines import told_by, told_order
from tcao_tui.domain.run_view import RunStatus, RunSummary

SORTS: dict[str, Callable[[RunSummary], tuple[object, ...]]] = {
    "age": lambda run: (-run.created_at,),
    "updated": lambda run: (-run.updated_at,),
    "name": lambda run: (run.name, -run.created_at),
    "status": lambda run: (str(run.status), -run.created_at),
    "training": lambda run: (*told_order(told_by(run)[0]), -run.created_at),
    "held-out": lambda run: (*told_order(told_by(run)[1]), -run.created_at),
    "loss": lambda run: (_or_last(run.train_loss), -run.created_at),
    "val": lambda run: (_or_last(run.val_loss), -run.created_at),
    "cost": lambda run: (-(run.cost_usd or 0.0), -run.created_at),
}


def _or_last(loss: float | None) -> float:
    return math.inf if loss is None or math.isnan(loss) else loss


@click.command(
    epilog="""\b
Examples:
  tcao ls                              newest first
  tcao ls --status lost --status failed
  tcao ls --name 'gsm8k*' --sort held-out
  tcao ls --output json | jq '.[0].run_id'
"""
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([str(status) for status in RunStatus]),
    help="Only these; repeatable.",
)
@click.option("--name", metavar="PATTERN", help="Only names like this; * and ? stand for anything.")
@click.option("--sort", type=click.Choice([*SORTS]), default="age", show_default=True, help="Order of the list.")
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most so many.")
@output_option("text", "json", "stream-json")
@pass_context
def ls(console: CliContext, statuses: Sequence[str], name: str | None, sort: str, limit: int | None) -> None:
    """List runs with status, progress, what training and held-out data say, cost and age."""
    print_runs(console, statuses=statuses, name=name, sort=sort, limit=limit)


def print_runs(
    console: CliContext,
    *,
    statuses: Sequence[str] = (),
    name: str | None = None,
    sort: str = "age",
    limit: int | None = None,
) -> None:
    """Print the runs that are asked for."""
    runs = _runs(console)
    if statuses:
        runs = [run for run in runs if run.status in statuses]
    if name:
        runs = [run for run in runs if fnmatch(run.name, name)]
    runs = sorted(runs, key=SORTS[sort])[:limit]
    match console.output:
        case "json":
            console.result(to_json([summary_dict(run) for run in runs], indent=2))
        case "stream-json":
            for run in runs:
                console.result(to_json(summary_dict(run)))
        case "text" if runs:
            console.result("\n".join(runs_table(runs, time.time(), console.style)))
        case "text":
            chosen = "no run matches" if statuses or name else "no runs yet; see it work with `tcao demo`"
            console.progress(f"{chosen} (in {console.runs_root})")


def _runs(console: CliContext) -> list[RunSummary]:
    if not console.has_store:
        return []
    from tcao_tui.services.runs import list_runs

    with console.store() as store:
        return list_runs(store)
