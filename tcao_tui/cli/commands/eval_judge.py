"""`tcao eval judge`: how far a judge agrees with people."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.launching import consented
from tcao_tui.cli.options import approve_option, backend_option, output_option
from tcao_tui.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tcao_tui.services.judge_labels import JudgeTrial


@click.command(
    epilog="""\b
Rows: {"input": "...", "output": "the wanted answer, if any", "answer": "...", "label": true}
Examples:
  tcao eval judge labels.jsonl --judge tcao/Qwen/Qwen3-8B
  tcao eval judge labels.jsonl --judge anthropic/claude-sonnet-4-5 --rubric @rubric.md --rows 50
  tcao eval judge labels.jsonl --judge tcao/Qwen/Qwen3-8B --fail-under 0.6 && ./release.sh
"""
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--judge", metavar="MODEL", required=True, help="Model that grades, as Inspect names it.")
@click.option("--rubric", metavar="TEXT|@FILE", default="", help="What makes an answer right; left out: the usual one.")
@click.option("--rows", type=click.IntRange(min=1), metavar="N", help="Only the first so many.")
@click.option("--fail-under", type=click.FloatRange(-1, 1), metavar="KAPPA", help="End with code 1 when it is lower.")
@approve_option()
@backend_option()
@output_option()
@pass_context
def judge(
    console: CliContext,
    *,
    file: Path,
    judge: str,
    rubric: str,
    rows: int | None,
    fail_under: float | None,
    approve: str | None,
    backend: str | None,
) -> None:
    """Measure how far a judge agrees with people's grades of the same answers.

    It is asked exactly as the grader `model` asks it in evals. What it said once of an answer is not paid for again
    within a week.
    """
    from tcao_tui.cli.render.agreement import agreement_dict, agreement_lines
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.services.judge_labels import measure, propose_trial, read_labelled

    trial = propose_trial(
        read_labelled(file, rows),
        judge,
        _text(rubric),
        console.profile(backend),
        prices=console.settings().planner.prices,
        environ=console.environ,
    )
    words = ["tcao", "eval", "judge", str(file), "--judge", judge]
    for option, value in (("--rubric", rubric), ("--rows", rows), ("--fail-under", fail_under), ("--backend", backend)):
        words += [option, str(value)] if value not in (None, "") else []
    _consent(console, trial, approve, again=shlex.join(words))
    console.progress(f"asking about {len(trial.rows):,} answers")
    found = measure(trial, console.environ)
    if console.wants_json:
        console.result(to_json({"judge": judge, **agreement_dict(found)}, indent=2))
    else:
        console.result("\n".join(agreement_lines(found, console.style)))
    if fail_under is not None and (found.kappa is None or found.kappa.value < fail_under):
        console.progress(console.style(f"kappa is under {fail_under:g}, or unknown", "red"))
        click.get_current_context().exit(ExitCode.FAILED)


def _consent(console: CliContext, trial: JudgeTrial, given: str | None, *, again: str) -> None:
    """Go on with consent, asked for in a terminal; what is free needs none. Raises `NeedsInput`."""
    from tcao_tui.cli.render.agreement import trial_lines

    given = given or ("auto" if trial.is_free else None)
    if given is not None and not console.wants_json:
        console.progress("\n".join(trial_lines(trial)))
    consented(
        console,
        lambda hash_or_auto, _: trial.require_consent(hash_or_auto),
        given=given,
        wanted=trial.hash,
        lines=lambda: trial_lines(trial),
        purpose="to ask",
        command=again,
        nothing="nothing was asked",
    )


def _text(given: str) -> str:
    """A text, or that of the file after `@`. Raises `UsageError`."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the rubric cannot be read: {error}", where="--rubric") from error
