"""`tcao sink`: copy a run's numbers to TensorBoard, W&B, trackio or MLflow."""

from __future__ import annotations

from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option, run_argument


@click.command(
    epilog="""\b
Examples:
  tcao sink latest --to tensorboard          then: tensorboard --logdir runs/_tensorboard
  tcao sink latest --to wandb --follow       copies what comes, until the run has ended
  tcao sink demo --to wandb --offline        nothing is sent; upload later with `wandb sync`
  tcao sink demo --to mlflow --dir mlruns
"""
)
@run_argument()
@click.option("--to", required=True, metavar="SINK", help="tensorboard, wandb, trackio, mlflow, or one of a plug-in.")
@click.option("--dir", "directory", type=click.Path(file_okay=False, path_type=Path), help="Where its files go.")
@click.option("--offline", is_flag=True, help="Send nothing anywhere.")
@click.option("--follow", is_flag=True, help="Go on until the run has ended.")
@output_option()
@pass_context
def sink(console: CliContext, *, run: str, to: str, directory: Path | None, offline: bool, follow: bool) -> None:
    """Copy the numbers of RUN to a metric sink, from where the last copy stopped.

    Reads the run store only: ending this, or a sink that fails, never touches the run. Steps that a resumed attempt
    trained anew are taken back where the sink can do that, and continue in a further run of the sink where it cannot.
    """
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.services.sink import Copier

    with console.store() as store:
        run_id = console.find(store, run).run_id
        copier = Copier(
            store, console.runs_root, run_id, to, directory=directory, offline=offline, report=console.progress
        )
        note = copier.run(follow=follow)
    if console.wants_json:
        told = {"run_id": run_id, "sink": to, "readings": note.total, "last_step": note.readings.last_step}
        console.result(to_json({**told, "segment": note.segment, "position": note.position}, indent=2))
        return
    console.result(f"{run_id}: {note.total} readings up to step {note.readings.last_step} are in {to}")
    if to == "tensorboard":
        console.progress(f"look: tensorboard --logdir {(directory or console.runs_root / '_tensorboard').absolute()}")
