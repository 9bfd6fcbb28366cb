"""`tcao doctor`: what is found and what is missing."""

from __future__ import annotations

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import ExitCode

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(
    epilog="""\b
Examples:
  tcao doctor
  tcao doctor --output json | jq '.[] | select(.state != "ok")'
"""
)
@output_option("text", "json")
@pass_context
def doctor(console: CliContext) -> None:
    """Check Python, packages, terminal, settings, keys, backends, engine, disk and what log-out does to workers.

    Says where a key was found, never the key. Ends with code 1 when something fails.
    """
    from tcao_tui.services.doctor import examine

    checks = list(examine(console.runs_root, console.environ))
    if console.wants_json:
        told = [{"name": c.name, "state": c.state, "found": c.found, "fix": c.fix} for c in checks]
        console.result(to_json(told, indent=2))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            state = console.style(check.state.ljust(4), _COLOURS[check.state])
            console.result(f"{state}  {check.name.ljust(width)}  {one_line(check.found)}")
            if check.fix and check.state != "ok":
                console.result(f"{'':6}{'':{width}}  fix: {one_line(check.fix)}")
    if any(check.state == "fail" for check in checks):
        click.get_current_context().exit(ExitCode.FAILED)
