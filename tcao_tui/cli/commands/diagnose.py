"""`tcao diagnose`: a run explained in words, by fixed rules."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option, run_argument
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.plain_text import one_line, plain_text

if TYPE_CHECKING:
    from tcao_tui.cli.render.text import Style
    from tcao_tui.domain.diagnosis import Diagnosis


@click.command(epilog="\b\nExamples:\n  tcao diagnose latest\n  tcao diagnose demo --output json | jq .next_commands")
@run_argument()
@output_option("text", "json")
@pass_context
def diagnose(console: CliContext, run: str) -> None:
    """Explain RUN in words: what it does and since when, what stands out, what to do next.

    By fixed rules over its record: alerts, losses, held-out rows, scores, budget. Nothing is asked of a server or a
    model. RUN is an id, the beginning of one, a name (its newest run) or `latest`.
    """
    from tcao_tui.services.diagnosis import diagnose_run

    with console.store() as store:
        found = diagnose_run(store, console.runs_root, run)
    if console.wants_json:
        console.result(to_json(asdict(found), indent=2))
    else:
        console.result("\n".join(diagnosis_lines(found, console.style)))


def diagnosis_lines(found: Diagnosis, style: Style) -> list[str]:
    """A diagnosis as a person reads it."""
    lines = [f"{style(one_line(found.run_id), bold=True)}  {plain_text(found.state)}", ""]
    lines += [f"  {one_line(fact, 200)}" for fact in found.facts]
    if found.findings:
        lines += ["", style("what stands out", bold=True)]
    for finding in found.findings:
        lines += [f"  {style(one_line(finding.what, 120), 'yellow')}", f"    {one_line(finding.evidence, 300)}"]
        lines += [f"    -> {one_line(finding.do, 300)}"] if finding.do else []
    if not found.findings:
        lines += ["", "nothing stands out"]
    if found.missing:
        lines += ["", style("cannot be told yet", bold=True), *(f"  {what}" for what in found.missing)]
    lines += ["", style("next", bold=True), *(f"  {one_line(command, 200)}" for command in found.next_commands)]
    return lines
