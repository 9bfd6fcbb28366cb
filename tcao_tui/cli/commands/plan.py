"""`tcao plan`: the interview, in a terminal or from a file of answers, to a plan that may be approved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import backend_option, max_cost_option, output_option

if TYPE_CHECKING:
    from tcao_tui.domain.interview import PlannerName


@click.command(
    epilog="""\b
Examples:
  tcao plan                                        opens the planner's screen
  tcao plan --plain                                asks line by line, also for screen readers
  tcao plan "solve maths problems, rows in train.jsonl"
  tcao plan --answers answers.yaml -o plan.yaml    headless; a question without an answer ends with code 4
  tcao plan --answers answers.yaml --defaults --approve HASH --launch
  tcao plan --resume latest                        goes on where it was left
  tcao plan --list
\b
An answers file names slots (goal, data, method, evals, success, model, budget, schedule, lora, run_name)
or keys of the plan:
  goal: solve grade-school maths problems
  data: train.jsonl
  success: 0.6
  training.num_steps: 200
"""
)
@click.argument("words", nargs=-1)
@click.option("--answers", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Answers; see below.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan here.")
@click.option("--defaults", is_flag=True, help="Take the default of what has no answer.")
@click.option("--resume", metavar="ID", help="Go on with an interview; `latest` is the one that moved last.")
@click.option("--fork", metavar="ID", help="Start a new one with the values and measurements of another.")
@click.option("--from", "start", metavar="CKPT", help="Start a new plan from a checkpoint: RUN, RUN:STEP or a path.")
@click.option("--list", "lists", is_flag=True, help="List interviews.")
@click.option("--plain", is_flag=True, help="Ask line by line instead of on a screen; ACCESSIBLE=1 does the same.")
@click.option("--planner", type=click.Choice(["rules", "llm"]), help="Who asks; the settings say it otherwise.")
@click.option("--approve", metavar="HASH", help="Consent to exactly the plan with this hash.")
@max_cost_option()
@click.option("--launch", is_flag=True, help="Start training once approved.")
@backend_option()
@output_option("text", "json", "stream-json")
@pass_context
def plan(
    console: CliContext,
    *,
    words: tuple[str, ...],
    answers: Path | None,
    out: Path | None,
    defaults: bool,
    resume: str | None,
    fork: str | None,
    start: str | None,
    lists: bool,
    plain: bool,
    planner: str | None,
    approve: str | None,
    max_cost: float | None,
    launch: bool,
    backend: str | None,
) -> None:
    """Make a plan by being asked: from what you want and a file of rows to a plan with reasons, gates and cost.

    WORDS are your first sentence. Nothing runs before you approve the plan by its hash; every answer is kept, so an
    interview can be resumed anywhere. Without a terminal a question is an error, never an invented answer.
    """
    if sum(map(bool, (resume, fork, start))) > 1:
        raise click.UsageError("--resume goes on with an interview, --fork and --from start another: give one of them")
    resume = resume or _started_from(console, start, backend)
    opening, in_lines = " ".join(words), plain or bool(console.environ.get("ACCESSIBLE"))
    if console.is_interactive and not any((lists, in_lines, answers, out, defaults, approve, max_cost, launch)):
        _open_screen(console, resume=resume, fork=fork, opening=opening, planner=planner, backend=backend)
    from tcao_tui.cli.planning import Wanted, list_interviews, run_interview

    if lists:
        list_interviews(console)
        return
    wanted = Wanted(
        opening=opening,
        answers=answers,
        out=out,
        takes_defaults=defaults,
        resume=resume,
        fork=fork,
        planner=planner,
        approve=approve,
        max_cost_usd=max_cost,
        launch=launch,
        backend=backend,
    )
    run_interview(console, wanted)


def _started_from(console: CliContext, start: str | None, backend: str | None) -> str | None:
    """A new interview whose plan starts from a checkpoint."""
    if start is None:
        return None
    from tcao_tui.cli.checkpoints import interview_from

    return interview_from(console, start, backend)


def _open_screen(
    console: CliContext, *, resume: str | None, fork: str | None, opening: str, planner: str | None, backend: str | None
) -> NoReturn:
    from tcao_tui.tui.app import run_app
    from tcao_tui.tui.interview_port import InterviewWanted

    wanted = InterviewWanted(
        interview_id=resume or "",
        forked_from=fork or "",
        opening=opening,
        planner=cast("PlannerName | None", planner),
        backend=backend,
    )
    code = run_app(console.runs_root, interview=wanted, load_settings=console.settings, theme=console.theme())
    click.get_current_context().exit(code)
