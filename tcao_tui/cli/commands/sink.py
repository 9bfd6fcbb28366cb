"""`tcao sink`: a run's numbers in TensorBoard, W&B, Trackio or MLflow."""

from __future__ import annotations

from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option, run_argument


@click.command(
    epilog="""\b
Examples:
  tcao sink latest --to tensorboard --dir tb
  tcao sink latest --to wandb --follow
"""
)
@run_argument()
@click.option("--to", "name", required=True, metavar="SINK", help="tensorboard, wandb, trackio or mlflow.")
@click.option(
    "--dir", "directory", type=click.Path(file_okay=False, path_type=Path), help="Where it writes; sinks/ in the run."
)
@click.option("--offline", is_flag=True, help="Write files only, for wandb and mlflow.")
@click.option("--follow", is_flag=True, help="Go on until the run ends.")
@output_option()
@pass_context
def sink(console: CliContext, run: str, *, name: str, directory: Path | None, offline: bool, follow: bool) -> None:
    """Write the numbers of RUN to another program; the next call goes on where the last one ended.

    A process of its own: however it ends, the run does not notice. RUN is an id, the beginning of one, a name (its
    newest run) or `latest`.
    """
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.sinks import SINKS
    from tcao_tui.sinks.feed import feed
    from tcao_tui.sinks.port import SinkOptions

    opened = SINKS.load(name)
    with console.store() as store:
        run_id = console.find(store, run).run_id
        run_dir = console.runs_root / run_id
        place = (directory or run_dir / "sinks").absolute()
        place.mkdir(parents=True, exist_ok=True)
        rows = feed(store, run_dir, run_id, name, opened(SinkOptions(place, offline)), follow=follow)
    if console.wants_json:
        console.result(to_json({"run_id": run_id, "sink": name, "rows": rows, "directory": str(place)}))
        return
    console.result(f"{rows} rows of {run_id} written to {name}")
    if name == "tensorboard":
        console.progress(f"look at it: tensorboard --logdir {place}")
