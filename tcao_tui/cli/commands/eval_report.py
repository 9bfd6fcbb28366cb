"""`tcao eval verdict`, `report` and `choose`: which checkpoint to use, written down, overruled, a build's gate."""

from __future__ import annotations

import math
from collections.abc import Mapping

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import complete_runs, output_option
from tcao_tui.errors import ExitCode, UsageError

_reference = click.argument("reference", metavar="RUN|EVALUATION", shell_complete=complete_runs)
_goal = click.option("--goal", metavar="TASK", default="", help="What decides; else what the plan calls success.")
_accept = click.option(
    "--accept", metavar="TASK", multiple=True, help="Its loss, or how its lost answers were graded, is accepted."
)
_weigh = click.option("--weigh", metavar="TASK=WEIGHT", multiple=True, help="Several goals made one, by weights.")


@click.command(
    epilog="""\b
Examples:
  tcao eval verdict latest
  tcao eval verdict latest --accept inspect_evals/mmlu_0_shot
  tcao eval verdict latest --weigh tickets=0.7 --weigh tone=0.3
  tcao eval verdict latest --fail-under tickets=0.8 --fail-if-worse-than base && ./release.sh
"""
)
@_reference
@_goal
@_accept
@_weigh
@click.option("--checkpoint", metavar="NAME", help="What the gates judge; else the chosen, recommended or best one.")
@click.option("--fail-under", metavar="TASK=VALUE", multiple=True, help="End with code 1 when its score is lower.")
@click.option("--fail-if-worse-than", metavar="base|CHECKPOINT", help="End with code 1 when it is clearly worse.")
@output_option()
@pass_context
def verdict(
    console: CliContext,
    *,
    reference: str,
    goal: str,
    accept: tuple[str, ...],
    weigh: tuple[str, ...],
    checkpoint: str | None,
    fail_under: tuple[str, ...],
    fail_if_worse_than: str | None,
) -> None:
    """Say which checkpoint to use, by all three layers, how sure that is, and why every other one is not it.

    A checkpoint that cannot be told from another one is not worse than it.
    """
    from tcao_tui.cli.render.evaluation import matrix_dict, matrix_lines
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.cli.render.selection import selection_lines
    from tcao_tui.services.eval_choice import clearly_worse, subject_named, under
    from tcao_tui.services.eval_reference import follow_evaluations
    from tcao_tui.services.eval_report import subject_of

    limits, weights = _numbers("--fail-under", fail_under), _numbers("--weigh", weigh)
    with console.store() as store:
        matrix = follow_evaluations(
            store, console.runs_root, reference, goal=goal, accepted=accept, weights=weights
        ).poll()
        judged = subject_named(matrix, checkpoint).name if checkpoint else subject_of(matrix)
        failed = [*under(matrix, judged, limits)]
        if fail_if_worse_than is not None:
            other = subject_named(matrix, fail_if_worse_than).name
            failed += clearly_worse(store.evaluations, matrix, judged, other)
    if console.wants_json:
        console.result(to_json({**matrix_dict(matrix), "judged": judged, "failed": failed}, indent=2))
    else:
        told = selection_lines(matrix.selection, matrix.base, console.style) if matrix.selection else []
        console.result("\n".join([*matrix_lines(matrix, console.style), *([""] if told else []), *told]))
        for line in failed:
            console.progress(console.style(line, "red"))
    if failed:
        click.get_current_context().exit(ExitCode.FAILED)


@click.command(
    epilog="""\b
Examples:
  tcao eval report latest
  tcao eval report latest --html > report.html
"""
)
@_reference
@_goal
@_accept
@_weigh
@click.option("--html", "only_html", is_flag=True, help="Print the page instead of writing files.")
@output_option()
@pass_context
def report(
    console: CliContext,
    *,
    reference: str,
    goal: str,
    accept: tuple[str, ...],
    weigh: tuple[str, ...],
    only_html: bool,
) -> None:
    """Write eval-report.md and eval-report.html into the run's directory, and the results into its record.

    What to use and why, scores with intervals, answers that turned, what goes wrong, costs, exact settings and hashes.
    """
    from dataclasses import asdict

    from tcao_tui.cli.render.json import to_json
    from tcao_tui.services.eval_reference import follow_evaluations
    from tcao_tui.services.eval_report import page, write_report
    from tcao_tui.services.eval_transcripts import transcripts_below

    weights = _numbers("--weigh", weigh)
    with console.store() as store, transcripts_below(console.runs_root) as read:
        matrix = follow_evaluations(
            store, console.runs_root, reference, goal=goal, accepted=accept, weights=weights
        ).poll()
        if only_html:
            console.result(page(store, console.runs_root, matrix, read))
            return
        written = write_report(store, console.runs_root, matrix, read)
    files = {name: str(path) for name, path in asdict(written).items() if path is not None}
    console.result(to_json(files, indent=2) if console.wants_json else "\n".join(files.values()))


@click.command(
    epilog="""\b
Examples:
  tcao eval choose latest 40 --reason "kinder to customers, which no eval of ours asks for"
"""
)
@_reference
@click.argument("checkpoint", metavar="CHECKPOINT|STEP|base")
@click.option("--reason", metavar="WORDS", required=True, help="Why, for whoever asks later.")
@output_option()
@pass_context
def choose(console: CliContext, reference: str, checkpoint: str, reason: str) -> None:
    """Say which weights are used, whatever the rule recommends; the reason is kept with the run."""
    from tcao_tui.cli.launching import person
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.domain.plain_text import one_line
    from tcao_tui.services import eval_choice
    from tcao_tui.services.eval_reference import follow_evaluations

    with console.store() as store:
        follower = follow_evaluations(store, console.runs_root, reference)
        matrix = follower.poll()
        choice = eval_choice.choose(store.evaluations, matrix, checkpoint, reason, run_id=follower.run_id, by=person())
    if console.wants_json:
        console.result(to_json(choice.model_dump(mode="json"), indent=2))
        return
    console.result(one_line(choice.subject))
    if matrix.selection is not None and matrix.selection.recommended != choice.subject:
        console.progress(f"the rule would take {one_line(matrix.selection.recommended)}; your reason is kept beside it")


def _numbers(option: str, given: tuple[str, ...]) -> Mapping[str, float]:
    """`TASK=NUMBER` as a mapping. Raises `UsageError`."""
    found: dict[str, float] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            found.pop(name, None)
        if name not in found or not name or not math.isfinite(found[name]):
            raise UsageError(f"{text!r} is not TASK=NUMBER", where=option, next_step=f"{option} tickets=0.8")
    return found
