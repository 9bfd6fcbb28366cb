"""`tcao eval ls` and `show`."""

from __future__ import annotations

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import complete_runs, output_option
from tcao_tui.errors import UsageError


@click.command()
@click.option("--run", metavar="RUN", shell_complete=complete_runs, help="Only those of a run.")
@output_option()
@pass_context
def ls(console: CliContext, run: str | None) -> None:
    """List the evaluations, the newest first, with how many of their cells are done."""
    from dataclasses import asdict

    from tcao_tui.cli.render.evaluation import evaluations_lines
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.services.evaluations import is_driven

    if not console.has_store:
        console.result("[]") if console.wants_json else console.progress("no evaluations yet")
        return
    with console.store() as store:
        run_id = console.find(store, run).run_id if run else None
        found = store.evaluations.evaluations(run_id=run_id)
    driven = {one.evaluation_id for one in found if is_driven(console.runs_root, one.evaluation_id)}
    if console.wants_json:
        rows = [asdict(one) | {"driven": one.evaluation_id in driven} for one in found]
        console.result(to_json(rows, indent=2))
    elif not found:
        console.progress("no evaluations yet; `tcao eval RUN` makes one")
    else:
        console.result("\n".join(evaluations_lines(found, driven)))


@click.command()
@click.argument("reference", metavar="EVALUATION|RUN", shell_complete=complete_runs)
@click.option("--wait", is_flag=True, help="Follow an evaluation to its end first.")
@output_option()
@pass_context
def show(console: CliContext, reference: str, wait: bool) -> None:
    """Show tasks times checkpoints: scores with 95 % intervals, gains over the base, and what keeps them from counting.

    With a RUN, all of its evaluations come together.
    """
    from tcao_tui.cli.evaluating import show_evaluations, wait_and_report
    from tcao_tui.services.evaluations import find_evaluation

    with console.store() as store:
        try:
            found = find_evaluation(store.evaluations, reference) if reference != "latest" or wait else None
        except UsageError:
            found = None
        if found is not None and wait:
            wait_and_report(console, store, found)
        elif found is not None:
            show_evaluations(console, store, evaluation_id=found)
        else:
            show_evaluations(console, store, run_id=console.find(store, reference).run_id)
