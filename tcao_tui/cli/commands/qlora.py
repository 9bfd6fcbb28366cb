"""`tcao qlora`: a run or a plan as files that train its like on one's own GPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import complete_runs, output_option

if TYPE_CHECKING:
    from tcao_tui.domain.plan import Plan


@click.command(
    epilog="""\b
Examples:
  tcao qlora latest --out at-home
  tcao qlora plan.yaml --out at-home
  python at-home/scripts/qlora_trainer.py --dry-run
"""
)
@click.argument("source", metavar="RUN|PLAN", shell_complete=complete_runs)
@click.option(
    "--out", required=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where to write."
)
@output_option("text", "json")
@pass_context
def qlora(console: CliContext, *, source: str, out: Path) -> None:
    """Write the QLoRA of RUN, or of a PLAN file: settings of PEFT, bitsandbytes and Transformers, and their script.

    Rank, alpha, layers, batches, trained tokens and optimiser are those of the run; the learning rate is the run's
    where that suits a base in 4 bits. Each value has its reason, and what cannot be mimicked is listed. For method
    sft. Nothing is trained, and no server is asked.
    """
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.cli.render.qlora import qlora_dict, qlora_lines
    from tcao_tui.services.qlora import write_qlora

    written = write_qlora(_plan_of(console, source), out)
    if console.wants_json:
        console.result(to_json(qlora_dict(written), indent=2))
        return
    console.result("\n".join(qlora_lines(written, console.style)))
    console.progress(f"\n  try it: python {written.files[-1]} --dry-run")


def _plan_of(console: CliContext, source: str) -> Plan:
    if Path(source).is_file():
        from tcao_tui.services.plans import load_plan

        return load_plan(Path(source))
    from tcao_tui.services.repeat import plan_to_repeat

    with console.store() as store:
        return plan_to_repeat(store, console.runs_root, console.find(store, source).run_id)
