"""`tcao run`: a saved plan, from estimate and approval to a detached worker."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import approve_option, backend_option, max_cost_option, output_option


@click.command(
    epilog="""\b
Examples:
  tcao run plan.yaml                               shows the estimate and asks
  tcao run plan.yaml --approve 3f9c0a7be1d24c55    headless, for exactly this plan at these prices
  tcao run plan.yaml --approve auto --backend local --wait
  tcao run plan.yaml --backend tinker --max-cost 5 --output json
"""
)
@click.argument("plan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@approve_option()
@click.option("--detach/--wait", default=True, help="Return at once, or follow to the end.  [default: detach]")
@max_cost_option()
@backend_option()
@output_option("text", "json", "stream-json")
@pass_context
def run(
    console: CliContext, *, plan: Path, approve: str | None, detach: bool, max_cost: float | None, backend: str | None
) -> None:
    """Launch PLAN once it passes all gates of `tcao check`.

    Shows what it may cost and asks for approval; without a terminal it ends with code 4 and says the hash to
    give. The worker is a process of its own: closing this terminal does not end it.
    """
    from tcao_tui.cli.launching import command_again, consent, launch_and_report, propose_plan
    from tcao_tui.services.plans import load_plan

    proposal = propose_plan(console, load_plan(plan), backend, max_cost)
    again = command_again("run", shlex.quote(str(plan)), backend=backend, max_cost_usd=max_cost)
    launch_and_report(console, proposal, consent(console, proposal, approve, again), detach=detach)
