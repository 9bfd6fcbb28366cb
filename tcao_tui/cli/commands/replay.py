"""`tcao replay`: a run's plan carried out again as a new run, or its record played in lines."""

from __future__ import annotations

from contextlib import closing

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import approve_option, backend_option, max_cost_option, output_option, run_argument
from tcao_tui.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  tcao replay latest --approve auto --wait        the same plan again, as a new run
  tcao replay gsm8k --approve 3f9c0a7be1d24c55 --max-cost 5
  tcao replay demo --speed 10                     play what was recorded, ten times as fast
"""
)
@run_argument()
@approve_option()
@click.option("--detach/--wait", default=True, help="Return at once, or follow to the end.  [default: detach]")
@max_cost_option()
@click.option(
    "--speed", type=click.FloatRange(min=0, min_open=True), metavar="X", help="Play the record X times as fast."
)
@backend_option()
@output_option("text", "json", "stream-json")
@pass_context
def replay(
    console: CliContext,
    *,
    run: str,
    approve: str | None,
    detach: bool,
    max_cost: float | None,
    speed: float | None,
    backend: str | None,
) -> None:
    """Carry out the saved plan of RUN again, as a new run with the same data, seed and config.

    Settings that a person changed while RUN trained change again at the same steps. The data must still be what was
    approved: a changed file is an error. It runs where RUN ran, unless --backend says otherwise. With --speed nothing
    is trained: the recorded events and numbers of RUN are written again.
    """
    if speed is not None:
        if approve is not None or max_cost is not None:
            raise UsageError("--speed plays a record and spends nothing: leave out --approve and --max-cost")
        _play(console, run, speed)
        return
    from tcao_tui.cli.launching import command_again, consent, launch_and_report, propose_plan
    from tcao_tui.services.repeat import plan_to_repeat

    with console.store() as store:
        found = console.find(store, run)
        plan = plan_to_repeat(store, console.runs_root, found.run_id)
    proposal = propose_plan(console, plan, backend or found.backend, max_cost)
    again = command_again("replay", found.run_id, backend=backend, max_cost_usd=max_cost)
    launch_and_report(console, proposal, consent(console, proposal, approve, again), detach=detach)


def _play(console: CliContext, reference: str, speed: float) -> None:
    from tcao_tui.cli.render.live import follow
    from tcao_tui.cli.watching import print_view, reporter, run_dir
    from tcao_tui.services.replay import ReplaySource

    with console.store() as store:
        run_id = console.find(store, reference).run_id
        with closing(ReplaySource(store, run_id, speed=speed)) as source:
            view = follow(source, reporter(console), until=lambda _: source.is_over, poll_seconds=0.05)
    print_view(console, view, run_dir(console, run_id))
