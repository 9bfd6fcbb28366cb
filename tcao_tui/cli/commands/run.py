"""`tcao run`: a saved plan, from estimate and approval to a detached worker."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import backend_option, output_option


@click.command(
    epilog="""\b
Examples:
  tcao run plan.yaml                               shows the estimate and asks
  tcao run plan.yaml --approve 3f9c0a7be1d24c55    headless, for exactly this plan at these prices
  tcao run plan.yaml --approve auto --backend local --wait
  tcao run training-config.yaml --max-cost 5 --output json
"""
)
@click.argument("plan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--approve", metavar="HASH|auto", help="Consent; auto only where nothing can cost anything.")
@click.option("--detach/--wait", default=True, help="Return at once, or follow to the end.  [default: detach]")
@click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Stop with a checkpoint at this cost.")
@backend_option()
@output_option("text", "json", "stream-json")
@pass_context
def run(
    console: CliContext, *, plan: Path, approve: str | None, detach: bool, max_cost: float | None, backend: str | None
) -> None:
    """Launch PLAN: a plan file, or a training config alone.

    Shows what it may cost and asks for approval; without a terminal it ends with code 4 and says the hash to
    give. The worker is a process of its own: closing this terminal does not end it.
    """
    from tcao_tui.cli.launching import consent, launch_and_report
    from tcao_tui.services.plans import load_plan
    from tcao_tui.services.proposals import propose

    proposal = propose(load_plan(plan), console.profile(backend), max_cost_usd=max_cost)
    again = ["tcao", "run", shlex.quote(str(plan))]
    again += ["--backend", backend] if backend else []
    again += ["--max-cost", f"{max_cost:g}"] if max_cost is not None else []
    approval = consent(console, proposal, approve, again)
    launch_and_report(console, proposal, approval, detach=detach)
