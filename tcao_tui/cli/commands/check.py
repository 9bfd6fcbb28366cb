"""`tcao check`: a saved plan before all gates; spends nothing, and starts nothing but the local engine."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import backend_option, max_cost_option, output_option
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.plain_text import plain_text
from tcao_tui.errors import ExitCode


@click.command(
    epilog="""\b
Examples:
  tcao check plan.yaml
  tcao check plan.yaml --backend tinker
  tcao check plan.yaml --output json | jq '.gates[] | select(.status != "pass")'
"""
)
@click.argument("plan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@max_cost_option()
@backend_option()
@output_option("text", "json")
@pass_context
def check(console: CliContext, *, plan: Path, max_cost: float | None, backend: str | None) -> None:
    """Judge PLAN, a plan file or a training config alone, by the gates that it must pass before it may be approved.

    Each problem comes with its file and line, its key, what is there, what would pass and what to do. Ends with
    code 0 when nothing but the approval is missing, else with code 3. A gate that cannot be judged, since a file is
    missing or the server is away, stays open, and says why.
    """
    from tcao_tui.cli.launching import CHECKING, command_again
    from tcao_tui.cli.render.plan import cost_lines, gate_lines, sheet_dict
    from tcao_tui.services.check import examine_file

    profile = console.profile(backend)
    console.progress(CHECKING)
    sheet = examine_file(plan, profile, max_cost_usd=max_cost).sheet
    if console.wants_json:
        told = {"plan": str(plan.absolute()), "backend": profile.name, **sheet_dict(sheet)}
        console.result(to_json(told, indent=2))
    else:
        console.result("\n".join(gate_lines(sheet.gates, console.style)))
        if sheet.cost is not None:
            console.result("\n" + "\n".join(cost_lines(sheet.cost)))
        console.progress(f"\nbackend: {profile.name} ({plain_text(profile.why)})")
        if sheet.is_ready:
            again = command_again("run", shlex.quote(str(plan)), backend=backend, max_cost_usd=max_cost)
            console.progress(f"  run it: {again} --approve {sheet.approval_hash}")
    if not sheet.is_ready:
        click.get_current_context().exit(ExitCode.PLAN_INVALID)
