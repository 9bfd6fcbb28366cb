"""`tcao eval resume`, `drain` and `cancel`."""

from __future__ import annotations

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option

evaluation_argument = click.argument("evaluation", metavar="EVALUATION")
"""EVALUATION: an id, the beginning of one, or `latest`."""


@click.command()
@evaluation_argument
@click.option("--parallel", type=click.IntRange(1, 16), default=1, show_default=True, help="Tasks at a time.")
@click.option("--wait/--detach", default=False, help="Follow it to its end, or let go of it.  [default: detach]")
@click.option("--foreground", is_flag=True, help="Carry it out here; otherwise a process of its own does.")
@output_option()
@pass_context
def resume(console: CliContext, evaluation: str, *, parallel: int, wait: bool, foreground: bool) -> None:
    """Go on with what is unfinished.

    Processes that are still at it are followed again; answers that were given before are not asked for again."""
    from tcao_tui.cli.evaluating import drive, go_on
    from tcao_tui.services.evaluations import find_evaluation

    with console.store() as store:
        found = find_evaluation(store.evaluations, evaluation)
        if foreground:
            drive(console, store, found, at_once=parallel)
        else:
            go_on(console, store, found, at_once=parallel, wait=wait)


@click.command()
@evaluation_argument
@output_option()
@pass_context
def drain(console: CliContext, evaluation: str) -> None:
    """Let the samples that are under way end, and begin nothing more; `tcao eval resume` goes on."""
    from tcao_tui.cli.evaluating import end
    from tcao_tui.services.evaluations import find_evaluation

    with console.store() as store:
        end(console, store, find_evaluation(store.evaluations, evaluation), "drain")


@click.command()
@evaluation_argument
@output_option()
@pass_context
def cancel(console: CliContext, evaluation: str) -> None:
    """End it now; answers that were given are kept, so that `tcao eval resume` does not pay for them again."""
    from tcao_tui.cli.evaluating import end
    from tcao_tui.services.evaluations import find_evaluation

    with console.store() as store:
        end(console, store, find_evaluation(store.evaluations, evaluation), "cancel")
