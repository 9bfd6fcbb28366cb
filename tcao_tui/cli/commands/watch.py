"""`tcao watch`: follow a run of ours, or a directory that the tinker-cookbook writes, on a screen or in lines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import complete_runs, output_option
from tcao_tui.errors import UsageError

if TYPE_CHECKING:
    from tcao_tui.domain.run_view import RunView, ViewSource


@click.command(
    epilog="""\b
Examples:
  tcao watch latest                    open the console at the newest run
  tcao watch ~/tinker-runs/my-run      a directory of the tinker-cookbook
  tcao watch demo --lines              progress lines, no screen
  tcao watch latest --output stream-json
"""
)
@click.argument("reference", metavar="RUN|DIR", shell_complete=complete_runs)
@click.option("--once", is_flag=True, help="Print the present state and end.")
@click.option("--lines", is_flag=True, help="Follow in lines, also in a terminal.")
@output_option("text", "json", "stream-json")
@pass_context
def watch(console: CliContext, reference: str, once: bool, lines: bool) -> None:
    """Follow a run to its end.

    RUN is an id, the beginning of one, a name (its newest run) or `latest`; DIR is a directory with a
    `metrics.jsonl`. In a terminal the console opens; elsewhere progress lines go to stderr.
    Ending this never ends the run.
    """
    directory = Path(reference).expanduser()
    is_cookbook = directory.is_dir() and not _is_run(console, reference)
    if console.is_interactive and not once and not lines:
        _open_console(console, reference, directory if is_cookbook else None)
    elif is_cookbook:
        from tcao_tui.store.cookbook import CookbookSource

        with closing(CookbookSource(directory)) as source:
            _follow(console, source, directory, once=once, until=_is_finished)
    else:
        from tcao_tui.services.follow import Follower

        with console.store() as store:
            run_id = console.find(store, reference).run_id
            with closing(Follower(store, run_id)) as source:
                _follow(console, source, console.runs_root / run_id, once=once)


def _is_run(console: CliContext, reference: str) -> bool:
    """Whether it names a run; a directory of the same name in the working directory does not hide it."""
    if "/" in reference or not console.has_store:
        return False
    try:
        with console.store() as store:
            console.find(store, reference)
    except UsageError:
        return False
    return True


def _open_console(console: CliContext, reference: str, cookbook_dir: Path | None) -> None:
    from tcao_tui.tui.app import run_app

    run_ref = None
    if cookbook_dir is None:
        with console.store() as store:
            run_ref = console.find(store, reference).run_id
    code = run_app(
        console.runs_root,
        run_ref=run_ref,
        cookbook_dir=cookbook_dir,
        load_settings=console.settings,
        theme=console.theme(),
    )
    click.get_current_context().exit(code)


def _is_finished(view: RunView) -> bool:
    """A directory without rows is one that its writer has only begun."""
    return view.status == "completed"


def _follow(
    console: CliContext,
    source: ViewSource,
    place: Path,
    *,
    once: bool,
    until: Callable[[RunView], bool] | None = None,
) -> None:
    from tcao_tui.cli.render.live import SilentReporter, follow, has_ended
    from tcao_tui.cli.watching import print_view, reporter

    if once:
        view = follow(source, SilentReporter(), until=lambda _: True)
    else:
        view = follow(source, reporter(console, skip_history=True), until=until or has_ended)
    print_view(console, view, place)
