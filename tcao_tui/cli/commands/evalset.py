"""`tcao evalset`: a small representative set of cases to evaluate with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option
from tcao_tui.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tcao_tui.domain.evalset import Case, EvalsetSummary
    from tcao_tui.services.evalset import Added

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def evalset() -> None:
    """Cases that stand for what the product is used for: few, distinct, tagged, and never trained on.

    A set is a JSONL file of rows with `input`, `output`, `tags` and `source`; its version is its hash.
    """


@evalset.command(
    epilog="""\b
Examples:
  tcao evalset build support.jsonl --from-data tickets.jsonl --rows 100 --against train.jsonl
  tcao evalset build support.jsonl --from-eval latest --against train.jsonl
  tcao evalset build support.jsonl --from-chat latest --tag hallucination --against train.jsonl
"""
)
@click.argument("file", type=_FILE)
@click.option("--from-data", type=_FILE, metavar="FILE", help="Rows that look like the whole of a file.")
@click.option("--from-eval", metavar="RUN", help="What its furthest checkpoint got wrong in evals of its own.")
@click.option("--from-chat", multiple=True, metavar="CHAT", help="Rounds of a conversation that were voted on.")
@click.option("--rows", type=click.IntRange(min=1), default=100, show_default=True, help="Cases at most.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice of rows.")
@click.option("--against", type=_FILE, multiple=True, metavar="TRAIN", help="What is trained on: no case may be in it.")
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="For each case: a kind of failure, or your own.")
@output_option("text", "json")
@pass_context
def build(
    console: CliContext,
    file: Path,
    *,
    from_data: Path | None,
    from_eval: str | None,
    from_chat: Sequence[str],
    rows: int,
    seed: int,
    against: Sequence[Path],
    tags: Sequence[str],
) -> None:
    """Add cases to FILE, which is made when it is not there.

    Prompts that the set has already, and those that stand in what is trained on, are left out and counted.
    """
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.data.evalset import chosen_cases, read_set
    from tcao_tui.services.evalset import fill

    cases = [] if from_data is None else chosen_cases(from_data, rows, seed=seed)
    if from_eval is not None:
        cases += _failed(console, from_eval, rows)
    cases += _voted(from_chat)
    if from_data is None and from_eval is None and not from_chat:
        raise UsageError("nothing says where cases come from", next_step="--from-data, --from-eval or --from-chat")
    added = fill(file, cases, against=against, tags=tags)
    if not against:
        console.progress("not held against training data: name it with --against, or a good score may be memory")
    if not file.exists():
        raise UsageError(f"no case was added{_left_out(added)}", where=str(file))
    summary = read_set(file)
    if console.wants_json:
        console.result(to_json({**_plain(file, summary), "added": added.added, "left_out": _left_out(added)}, indent=2))
    else:
        console.result("\n".join([f"{added.added:,} cases added{_left_out(added)}", *_lines(file, summary)]))


@evalset.command()
@click.argument("file", type=_FILE)
@click.option("--against", type=_FILE, multiple=True, metavar="TRAIN", help="Count cases that stand in this file.")
@output_option("text", "json")
@pass_context
def show(console: CliContext, file: Path, against: Sequence[Path]) -> None:
    """Say what FILE holds: cases, tags, version, what differences it can find, and what leaks into training.

    Exit code 3 when cases stand in what is trained on.
    """
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.data.evalset import read_set
    from tcao_tui.data.overlap import compare_files
    from tcao_tui.domain.plain_text import one_line

    summary = read_set(file)
    found = {training: compare_files(training, file) for training in against}
    leaked = {training: overlap.exact + overlap.near for training, overlap in found.items()}
    if console.wants_json:
        leaks = {str(training): count for training, count in leaked.items()}
        console.result(to_json({**_plain(file, summary), "leaked": leaks}, indent=2))
    else:
        told = [f"in {one_line(str(training))}: {count:,} cases" for training, count in leaked.items()]
        examples = [
            f"  line {right} as line {left}: {one_line(text, 100)}"
            for overlap in found.values()
            for left, right, text in overlap.examples
        ]
        console.result("\n".join([*_lines(file, summary), *told, *examples]))
    if any(leaked.values()):
        click.get_current_context().exit(ExitCode.PLAN_INVALID)


@evalset.command()
@click.argument("file", type=_FILE)
@click.argument("lines", nargs=-1, required=True, type=click.IntRange(min=1))
@click.option("--as", "tags", multiple=True, required=True, metavar="WORD", help="Tag; may be given several times.")
@click.option("--instead", is_flag=True, help="In place of the tags that the rows have.")
@pass_context
def tag(console: CliContext, file: Path, lines: Sequence[int], tags: Sequence[str], *, instead: bool) -> None:
    """Tag cases of FILE by their LINES with kinds of failure: hallucination, tool_call, refusal, format, safety."""
    from tcao_tui.data.evalset import tag_rows

    changed = tag_rows(file, lines, tags, instead=instead)
    console.result(f"{changed:,} of {len(set(lines)):,} cases changed")


def _voted(chats: Sequence[str]) -> list[Case]:
    from tcao_tui.services.chat import chat_files
    from tcao_tui.services.evalset import voted_cases

    return [case for chat in chats for case in voted_cases(chat_files().find(chat))]


def _failed(console: CliContext, reference: str, most: int) -> list[Case]:
    from tcao_tui.services.eval_failures import failures_of

    with console.store() as store:
        return failures_of(store, console.runs_root, reference, most=most)


def _left_out(added: Added) -> str:
    from tcao_tui.domain.plain_text import one_line

    said = [f"{added.known:,} are there already"] if added.known else []
    said += [f"{count:,} stand in {one_line(path.name, 60)}" for path, count in added.leaked.items() if count]
    return f"; left out: {', '.join(said)}" if said else ""


def _lines(file: Path, summary: EvalsetSummary) -> list[str]:
    from tcao_tui.domain.plain_text import one_line

    tags = ", ".join(f"{one_line(tag, 40)} {count:,}" for tag, count in summary.tags.items())
    more = f", {summary.untagged:,} untagged" if tags and summary.untagged else ""
    return [
        f"{one_line(str(file))}: {summary.rows:,} cases, version {summary.version}",
        f"tags: {tags or 'none'}{more}",
        f"a difference of about {summary.detectable:.0f} points would be found in 4 of 5 cases",
    ]


def _plain(file: Path, summary: EvalsetSummary) -> dict[str, object]:
    return {
        "file": str(file),
        "rows": summary.rows,
        "sha256": summary.sha256,
        "tags": dict(summary.tags),
        "untagged": summary.untagged,
        "detectable_points": summary.detectable,
    }
