"""`tcao compare`: runs over-laid on one chart, where each ended, and what differs in their plans."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import complete_runs, output_option

if TYPE_CHECKING:
    from tcao_tui.domain.comparison import Axis

_AXES = ("step", "tokens", "seconds", "cost")
_HEIGHT = 14


@click.command(
    epilog="""\b
Examples:
  tcao compare demo gsm8k
  tcao compare ranks-01 ranks-02 ranks-03 --metric val_mean_nll --x tokens
  tcao compare latest ~/tinker-runs/my-run
  tcao compare demo gsm8k --output json | jq .differences
"""
)
@click.argument("runs", metavar="RUN|DIR...", nargs=-1, required=True, shell_complete=complete_runs)
@click.option("--x", "axis", type=click.Choice(_AXES), default="step", show_default=True, help="What curves run along.")
@click.option("--metric", metavar="KEY", help="What is drawn; otherwise the most telling one that the runs share.")
@output_option()
@pass_context
def compare(console: CliContext, runs: tuple[str, ...], axis: Axis, metric: str | None) -> None:
    """Hold runs against each other: one chart, last and best values, and the settings that differ.

    Tokens, seconds and cost are cumulative and count what superseded attempts used; seconds leave out the gaps
    between attempts. A directory is one that the tinker-cookbook writes.
    """
    from tcao_tui.cli.render.comparison import comparison_dict, comparison_lines
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.services.compare import compare_runs

    with console.store() as store:
        found = compare_runs(store, console.runs_root, runs, axis=axis, metric=metric)
    if console.wants_json:
        console.result(to_json(comparison_dict(found), indent=2))
        return
    width = min(shutil.get_terminal_size().columns, 120)
    colours = console.colours and sys.stdout.isatty()
    console.result("\n".join(comparison_lines(found, console.style, width=width, height=_HEIGHT, colours=colours)))
