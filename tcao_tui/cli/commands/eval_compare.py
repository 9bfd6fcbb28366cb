"""`tcao eval compare`: which checkpoint is best by Inspect logs."""

from __future__ import annotations

from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option
from tcao_tui.errors import ExitCode


@click.command(
    epilog="""\b
Examples:
  tcao eval compare base.eval run-40.eval run-80.eval
  tcao eval compare base.eval run-80.eval --fail-if-worse && ./release.sh
"""
)
@click.argument("logs", metavar="BASE LOG...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--lower-is-better", is_flag=True, help="Direction of the score, for tasks such as refusals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Splits the items to choose by from those quoted.")
@click.option("--fail-if-worse", is_flag=True, help="End with code 1 when a log is clearly worse than the base.")
@output_option()
@pass_context
def compare(console: CliContext, logs: tuple[Path, ...], lower_is_better: bool, seed: int, fail_if_worse: bool) -> None:
    """Hold Inspect logs of one task against the first of them, item by item.

    Differences are paired and corrected for their number; a difference that may be chance is called so, with how many
    items would tell. Logs made elsewhere are read too.
    """
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.cli.render.verdict import verdict_dict, verdict_lines
    from tcao_tui.services.eval_logs import compare_logs

    found = compare_logs(logs, lower_is_better=lower_is_better, seed=seed)
    if console.wants_json:
        console.result(to_json(verdict_dict(found), indent=2))
    else:
        console.result("\n".join(verdict_lines(found, console.style)))
    if fail_if_worse and any(one.outcome == "worse" for one in found.verdict.judged):
        click.get_current_context().exit(ExitCode.FAILED)
