"""How commands follow runs: the source, the reporter that fits the output, and waiting for the end."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext
from tcao_tui.cli.render.live import (
    JsonReporter,
    LiveLineReporter,
    Reporter,
    TextReporter,
    follow,
)
from tcao_tui.errors import ExitCode

if TYPE_CHECKING:
    from tcao_tui.domain.run_view import RunView
    from tcao_tui.store.port import RunStore


def run_dir(console: CliContext, run_id: str) -> Path:
    """Directory of a run."""
    return console.runs_root / run_id


def wait_for_end(console: CliContext, store: RunStore, run_id: str, *, skip_history: bool = False) -> RunView:
    """Follow a run to its end with progress on stderr, or events on stdout for `stream-json`."""
    from tcao_tui.services.follow import Follower

    with closing(Follower(store, run_id)) as source:
        try:
            return follow(source, reporter(console, skip_history=skip_history))
        except KeyboardInterrupt:
            console.progress(f"\nno longer following; the run goes on: tcao watch {run_id}")
            raise


def reporter(console: CliContext, *, skip_history: bool = False) -> Reporter:
    """The reporter for this call's output and terminal."""
    if console.output == "stream-json":
        return JsonReporter(console.result)
    if console.draws_progress:
        return LiveLineReporter(
            lambda text: click.echo(text, err=True, nl=False), lambda: shutil.get_terminal_size().columns
        )
    return TextReporter(console.progress, skip_history=skip_history)


def wait_and_report(console: CliContext, store: RunStore, run_id: str, *, skip_history: bool = False) -> None:
    """Follow a run to its end, print it, and end this command with the code of its outcome."""
    from tcao_tui.cli.render.live import outcome_code

    view = wait_for_end(console, store, run_id, skip_history=skip_history)
    print_view(console, view, run_dir(console, run_id))
    code = outcome_code(view)
    if code == ExitCode.RESUMABLE and not console.wants_json:
        console.progress(f"go on with: tcao resume {run_id} --wait")
    click.get_current_context().exit(code)


def print_view(console: CliContext, view: RunView, place: Path) -> None:
    """A run as the result of a command."""
    from tcao_tui.cli.render.json import to_json, view_dict
    from tcao_tui.cli.render.text import view_lines

    if console.output == "stream-json":
        console.result(to_json({"type": "result", **view_dict(view, place)}))
    elif console.wants_json:
        console.result(to_json(view_dict(view, place), indent=2))
    else:
        console.result("\n".join(view_lines(view, place, console.style)))
