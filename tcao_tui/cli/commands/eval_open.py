"""`tcao eval open`: Inspect logs in the console, whoever made them."""

from __future__ import annotations

from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context


@click.command("open")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@pass_context
def open_logs(console: CliContext, logs: tuple[Path, ...]) -> int:
    """Open LOG..., files or directories of Inspect, as a matrix: the first one's model is the base of the others.

    Without a terminal, `tcao eval compare` says the verdict on logs.
    """
    from tcao_tui.errors import UsageError
    from tcao_tui.tui.app import run_app
    from tcao_tui.tui.evals_port import EvalsWanted

    if not console.is_interactive:
        raise UsageError("this opens a console, which needs a terminal", next_step="tcao eval compare BASE LOG...")
    wanted = EvalsWanted(logs=tuple(path.absolute() for path in logs))
    return run_app(console.runs_root, evals=wanted, load_settings=console.settings, theme=console.theme())
