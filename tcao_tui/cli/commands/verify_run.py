"""`tcao verify-run`: the proof that a run is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option, run_argument
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import ExitCode

if TYPE_CHECKING:
    from tcao_tui.domain.proof import VerifyReport

_COLOURS = {"ok": "green", "failed": "red", "not checked": "yellow"}


@click.command(
    epilog="""\b
Examples:
  tcao verify-run latest
  tcao verify-run demo --offline
  tcao verify-run latest --output json | jq .ok
"""
)
@run_argument()
@click.option("--offline", is_flag=True, help="Do not ask the server.")
@output_option("text", "json")
@pass_context
def verify_run(console: CliContext, run: str, offline: bool) -> None:
    """Prove that RUN is whole: every batch trained exactly once and in order, every resume exact, every checkpoint
    on the server, all spending in the ledger, and the plan the one that was approved.

    Reads the store and asks the server; changes nothing. Ends with code 1 when a check fails. What could not be
    looked at is said to be not checked.
    """
    from tcao_tui.services.server_side import ServerSide, ask_server
    from tcao_tui.services.verify import verify

    with console.store() as store:
        run_id = console.find(store, run).run_id
        if not offline:
            console.progress("asking the server for the run's checkpoints")
        server = ServerSide(None, "--offline") if offline else ask_server(console.runs_root, run_id)
        report = verify(store, run_id, runs_root=console.runs_root, remote=server.checkpoints)
    if console.wants_json:
        console.result(to_json({**report.to_dict(), "server": server.why_not or "asked"}, indent=2))
    else:
        _print(console, report, server.why_not)
    if not report.ok:
        click.get_current_context().exit(ExitCode.FAILED)


def _print(console: CliContext, report: VerifyReport, server_away: str) -> None:
    for check in report.checks:
        verdict = console.style(check.verdict.ljust(11), _COLOURS[check.verdict])
        console.result(f"{verdict}  {check.title}")
        if check.evidence:
            console.result(f"{'':13}{console.style(one_line(check.evidence, 1000), dim=True)}")
        if check.next_step and check.verdict == "failed":
            console.result(f"{'':13}next: {one_line(check.next_step)}")
    if server_away:
        console.result(f"the server was not asked: {one_line(server_away, 200)}")
    verdict = console.style("ok", "green", bold=True) if report.ok else console.style("NOT OK", "red", bold=True)
    console.result(f"{report.run_id}: {verdict}")
