"""`tcao eval tasks` and `tcao eval check`: which public benchmarks there are, and what this machine lacks for them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import backend_option, output_option
from tcao_tui.cli.render.json import to_json
from tcao_tui.errors import ExitCode

if TYPE_CHECKING:
    from tcao_tui.domain.plan import PriceQuote


@click.command(
    epilog="""\b
Examples:
  tcao eval tasks                                 those that tcao knows, by suite
  tcao eval tasks --suite code
  tcao eval tasks "word problems"                 all of Inspect Evals that speak of it
  tcao eval tasks --suite general --model Qwen/Qwen3-8B --limit 200
  tcao eval tasks --suite safety --output json | jq -r '.tasks[] | select(.needs == "") | .name'
"""
)
@click.argument("text", default="")
@click.option("--suite", default="", metavar="NAME", help="Only a suite: general, safeguards, or a kind of use.")
@click.option("--model", default="", metavar="BASE", help="Base model whose prices the cost is calculated with.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Samples, for the cost.")
@backend_option()
@output_option()
@pass_context
def tasks(console: CliContext, *, text: str, suite: str, model: str, limit: int, backend: str | None) -> None:
    """List public benchmarks: what each measures, which number counts, what it needs, tokens and cost per subject."""
    from tcao_tui.cli.render.benchmarks import catalogue_lines
    from tcao_tui.domain.benchmarks.table import SUITES
    from tcao_tui.services.benchmark_list import described

    found = described(text=text, suite_name=suite, limit=limit, quote=_quote(console, backend, model))
    if console.wants_json:
        suites = {name: list(names) for name, names in SUITES.items()}
        console.result(to_json({"limit": limit, "suites": suites, "tasks": [asdict(one) for one in found]}, indent=2))
        return
    console.result("\n".join(catalogue_lines(found, console.style, with_cost=bool(model))))
    if not text and not suite:
        console.progress(f"suites: {', '.join(SUITES)}; TEXT searches all of Inspect Evals")


@click.command(
    epilog="""\b
Examples:
  tcao eval check general
  tcao eval check inspect_evals/xstest --judge anthropic/claude-opus-4-5
  tcao eval check humaneval && tcao eval latest --task humaneval
"""
)
@click.argument("names", metavar="TASK|SUITE...", nargs=-1, required=True)
@click.option("--judge", default="", metavar="MODEL", help="Model that grades or plays a part, as Inspect names it.")
@click.option("--thinks", is_flag=True, help="Answers begin with thinking, for which caps on length are lifted.")
@output_option()
@pass_context
def check(console: CliContext, names: tuple[str, ...], judge: str, thinks: bool) -> None:
    """Say what this machine lacks for public benchmarks, and the command that mends it; spends nothing.

    Docker, packages, gated or unreachable data, judges without a key. Ends with code 1 when something blocks a task.
    """
    from tcao_tui.cli.render.benchmarks import obstacle_lines
    from tcao_tui.services.benchmarks import benchmark_names, benchmark_task
    from tcao_tui.services.eval_preflight import preflight

    wanted = [benchmark_task(name, judge=judge, thinks=thinks) for name in benchmark_names(names)]
    found = preflight(wanted, console.environ, thinks=thinks)
    if console.wants_json:
        told = {"tasks": [task.name for task in wanted], "obstacles": [asdict(obstacle) for obstacle in found]}
        console.result(to_json(told, indent=2))
    else:
        console.result("\n".join(obstacle_lines([task.name for task in wanted], found, console.style)))
    if any(obstacle.blocks for obstacle in found):
        click.get_current_context().exit(ExitCode.FAILED)


def _quote(console: CliContext, backend: str | None, model: str) -> PriceQuote | None:
    from tcao_tui.clients.prices import planning_quote

    if not model:
        return None
    profile = console.profile(backend)
    return planning_quote(profile.kind, profile.base_url, model)
