"""`tcao show`: one run in full."""

from __future__ import annotations

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option, run_argument
from tcao_tui.cli.render.json import to_json, view_dict
from tcao_tui.cli.render.text import sample_lines, view_lines
from tcao_tui.cli.watching import run_dir


@click.command(
    epilog="""\b
Examples:
  tcao show latest
  tcao show demo --samples
  tcao show latest --output json | jq .status
"""
)
@run_argument()
@click.option("--samples", is_flag=True, help="Show what the model says at each eval.")
@output_option("text", "json")
@pass_context
def show(console: CliContext, run: str, samples: bool) -> None:
    """Show one run: state, progress, loss, checkpoints, score, how it ended.

    RUN is an id, the beginning of one, a name (its newest run) or `latest`.
    """
    from tcao_tui.services.follow import read_view

    with console.store() as store:
        found = console.find(store, run)
        view = read_view(store, found.run_id)
    place = run_dir(console, found.run_id)
    if console.wants_json:
        console.result(to_json(view_dict(view, place), indent=2))
        return
    console.result("\n".join(view_lines(view, place, console.style)))
    for taken in view.samples if samples else ():
        console.result(f"samples at step {taken.step}")
        for sample in taken.samples:
            console.result("\n".join(sample_lines(sample, "says")))
