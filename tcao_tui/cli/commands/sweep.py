"""`tcao sweep`: one plan with values varied, each combination an approved run of its own, and the table of them."""

from __future__ import annotations

from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import approve_option, backend_option, max_cost_option, output_option
from tcao_tui.errors import UsageError

_PATH = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="""\b
Examples:
  tcao sweep plan.yaml --set training.learning_rate=1e-4,3e-4 --set training.lora_rank=8,32
  tcao sweep plan.yaml --list cells.yaml --parallel 4 --name ranks
  tcao sweep plan.yaml --range-test --approve auto
  tcao sweep --show ranks
  tcao sweep --resume ranks            go on with the unfinished cells
"""
)
@click.argument("plan", required=False, type=_PATH)
@click.option("--set", "settings", multiple=True, metavar="KEY=V,V", help="Values of a key path; repeat for a grid.")
@click.option("--list", "list_file", type=_PATH, help="YAML with `cells:`, a list of key paths and values.")
@click.option("--range-test", is_flag=True, help="Short runs over learning rates and ranks around the plan's.")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Steps of every cell.")
@click.option("--name", help="Of the sweep; its runs are NAME-01, NAME-02, ...")
@click.option("--by", metavar="METRIC", help="What cells are judged by; left out: what the plan calls success.")
@click.option("--parallel", type=click.IntRange(1, 64), default=2, show_default=True, help="Runs at a time.")
@approve_option()
@max_cost_option()
@backend_option()
@click.option("--foreground", is_flag=True, help="Launch from here and wait; otherwise a process of its own does.")
@click.option("--resume", metavar="NAME", help="Go on with the unfinished cells of a sweep.")
@click.option("--show", metavar="NAME", help="Print the table of a sweep.")
@click.option("--ls", "list_all", is_flag=True, help="List the sweeps.")
@output_option()
@pass_context
def sweep(
    console: CliContext,
    *,
    plan: Path | None,
    resume: str | None,
    show: str | None,
    list_all: bool,
    foreground: bool,
    approve: str | None,
    max_cost: float | None,
    backend: str | None,
    settings: tuple[str, ...],
    list_file: Path | None,
    range_test: bool,
    steps: int | None,
    name: str | None,
    by: str | None,
    parallel: int,
) -> None:
    """Vary PLAN: every combination passes all gates, is approved with the others, and runs as a run of its own.

    --max-cost caps all cells together. Ending the sweeper ends no run; it never launches a cell twice."""
    from tcao_tui.cli.sweeping import SweepRequest, go_on, list_sweeps, new_sweep, show_sweep

    if [plan is not None, resume is not None, show is not None, list_all].count(True) != 1:
        raise UsageError("give one of PLAN, --resume NAME, --show NAME and --ls", next_step="tcao sweep --help")
    if list_all:
        list_sweeps(console)
    elif show is not None:
        show_sweep(console, show)
    elif resume is not None:
        go_on(console, resume, foreground=foreground)
    elif plan is not None:
        new_sweep(
            console,
            SweepRequest(
                plan_file=plan,
                settings=settings,
                list_file=list_file,
                steps=steps,
                name=name,
                by=by,
                parallel=parallel,
                range_test=range_test,
                approve=approve,
                max_cost_usd=max_cost,
                backend=backend,
                foreground=foreground,
            ),
        )
