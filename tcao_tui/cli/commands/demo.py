"""`tcao demo`: the included plan on the local engine, live, with what it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import duration_text, share_text

if TYPE_CHECKING:
    from pathlib import Path

    from tcao_tui.domain.run_view import RunView
    from tcao_tui.services.demo import DemoResult


@click.command(
    epilog="""\b
Examples:
  tcao demo
  tcao demo --output json | tail -1 | jq .score_after
"""
)
@output_option("text", "json", "stream-json")
@pass_context
def demo(console: CliContext) -> None:
    """Train the included plan and show what it changed: no key, no network, under two minutes on two cores.

    Starts the local engine, launches a detached worker, follows it, and ends with what the model said
    before and after, its score before and after, and where everything lies.
    """
    from tcao_tui.cli.launching import person
    from tcao_tui.cli.render.live import outcome_code
    from tcao_tui.cli.watching import run_dir, wait_for_end
    from tcao_tui.services.demo import demo_plan_path, demo_result, launch_demo

    console.progress(f"plan: {demo_plan_path()}")
    console.progress("starting the local engine and a worker")
    with console.store(create=True) as store:
        launched = launch_demo(store, console.runs_root, by=person())
        console.progress(f"run {launched.run_id} (open the console beside this with: tcao watch {launched.run_id})")
        view = wait_for_end(console, store, launched.run_id)
    if code := outcome_code(view):
        _report_failure(console, view, run_dir(console, view.run_id))
        click.get_current_context().exit(code)
    _report(console, demo_result(view), view, run_dir(console, view.run_id))


def _report(console: CliContext, result: DemoResult, view: RunView, place: Path) -> None:
    if console.wants_json:
        told = {
            "run_id": result.run_id,
            "run_dir": str(place),
            "score_before": result.score_before,
            "score_after": result.score_after,
            "steps": result.steps,
            "seconds": round(result.seconds, 2),
        }
        console.result(to_json(told))
        return
    console.result(console.style("\nBefore and after", bold=True))
    for change in result.changes:
        console.result(f"  {console.style('prompt', dim=True)}  {one_line(change.prompt, 110)}")
        console.result(f"  {console.style('before', dim=True)}  {one_line(change.before, 110)}")
        console.result(
            f"  {console.style('after ', dim=True)}  {console.style(one_line(change.after, 110), 'green')}\n"
        )
    after = console.style(share_text(result.score_after), "green", bold=True)
    took = f"{result.steps} steps in {duration_text(result.seconds)}"
    console.result(f"Score {share_text(result.score_before)} -> {after} after {took}")
    console.result(f"\nRun        {place}")
    for checkpoint in view.checkpoints[-1:]:
        console.result(f"Weights    {one_line(checkpoint.sampler_path or checkpoint.state_path)}")
        console.result(f"To resume  {one_line(checkpoint.state_path)}")
    console.result("\nNext")
    console.result(f"  tcao watch {result.run_id}        the same run on a screen")
    console.result(f"  tcao verify-run {result.run_id}   the proof that nothing was skipped or trained twice")
    console.result(f"  cp {place}/*.yaml .   change them, then: tcao run plan.yaml")
    console.result("  tcao engine stop   ends the local engine; checkpoints stay")


def _report_failure(console: CliContext, view: RunView, place: Path) -> None:
    from tcao_tui.cli.watching import print_view

    print_view(console, view, place)
    console.progress(f"the demo did not finish; the worker's log is {place / 'worker.log'}")
