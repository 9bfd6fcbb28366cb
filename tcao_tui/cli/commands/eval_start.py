"""`tcao eval RUN`: evaluate the base model and checkpoints, by a process that outlives the terminal."""

from __future__ import annotations

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import approve_option, backend_option, complete_runs, max_cost_option, output_option


@click.command(
    epilog="""\b
Examples:
  tcao eval latest
  tcao eval demo:40 --task inspect_evals/gsm8k --limit 200 --wait
  tcao eval tinker://.../sampler_weights/x --base Qwen/Qwen3-8B --task quality.py@quality
"""
)
@click.argument("weights", metavar="RUN|RUN:STEP|PATH...", nargs=-1, required=True, shell_complete=complete_runs)
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="Task of Inspect's registry, or FILE.py@TASK.")
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="Benchmarks of a use: general, code, ...")
@click.option("--layer", "layers", multiple=True, type=click.IntRange(1, 3), help="Only these layers of the plan.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Samples of each task, drawn with the seed.")
@click.option("--seed", type=int, metavar="N", help="Of the draw; left out: the plan's.")
@click.option("--epochs", type=click.IntRange(1, 64), metavar="N", help="Answers to each sample.")
@click.option("--judge", default="", metavar="MODEL", help="Model that grades, as Inspect names it.")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only so many checkpoints, the furthest.")
@click.option("--base", "base_model", default="", metavar="MODEL", help="Base model of weights that no run here saved.")
@click.option("--title", default="", help="What the evaluation is called; left out: the run's name.")
@click.option("--parallel", type=click.IntRange(1, 16), default=1, show_default=True, help="Tasks at a time.")
@approve_option()
@max_cost_option("Begin no further answers at this cost.")
@backend_option()
@click.option("--wait/--detach", default=False, help="Follow it to its end, or let go of it.  [default: detach]")
@output_option()
@pass_context
def start(
    console: CliContext,
    *,
    weights: tuple[str, ...],
    tasks: tuple[str, ...],
    suites: tuple[str, ...],
    layers: tuple[int, ...],
    limit: int | None,
    seed: int | None,
    epochs: int | None,
    judge: str,
    last: int | None,
    base_model: str,
    title: str,
    parallel: int,
    approve: str | None,
    max_cost: float | None,
    backend: str | None,
    wait: bool,
) -> None:
    """Evaluate checkpoints with the base model beside them: the evals of the run's plan, or --task and --suite.

    What it may cost is shown before; it goes on when the terminal is closed, and whatever was answered before a crash
    is not paid again. Cells that an earlier evaluation finished are taken over.
    """
    from tcao_tui.cli.evaluating import StartRequest, start_new
    from tcao_tui.services.eval_tasks import Wanted

    request = StartRequest(
        weights=weights,
        wanted=Wanted(tasks=tasks, suites=suites, layers=layers, limit=limit, seed=seed, epochs=epochs, judge=judge),
        last=last,
        base_model=base_model,
        title=title,
        at_once=parallel,
        approve=approve,
        max_cost_usd=max_cost,
        backend=backend,
        wait=wait,
    )
    start_new(console, request)
