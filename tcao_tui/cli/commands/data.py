"""`tcao data`: what data files hold, how models see their rows, what they share, splits and cleaned copies of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tcao_tui import paths
from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.data_options import (
    field_map,
    fields_options,
    model_info,
    model_options,
    progress,
    row_count,
    weighted_file,
)
from tcao_tui.cli.options import output_option
from tcao_tui.cli.render.json import to_json
from tcao_tui.errors import ExitCode

if TYPE_CHECKING:
    from tcao_tui.domain.data_profile import DataProfile

_FILE = click.Path(path_type=Path)


@click.group(
    epilog="""\b
Examples:
  tcao data inspect train.jsonl
  tcao data inspect train.jsonl --model tcao/tiny-qwen3
  tcao data preview train.jsonl --row 3
  tcao data split train.jsonl --into split --validation 10%
  tcao data overlap split/train.jsonl test.jsonl
"""
)
def data() -> None:
    """Look at data before anything is spent: formats, bad rows, tokens, duplicates, leakage, splits.

    Reads JSONL, JSON, CSV, TSV and Parquet, plain or in gz or zst. Files are never modified.
    """


@data.command(
    short_help="What files hold: formats, bad rows, lengths, tokens, oddities.",
    epilog="""\b
Examples:
  tcao data inspect *.jsonl
  tcao data inspect qa.csv --input-field Question --output-field Answer
  tcao data inspect train.jsonl --output json | jq '.[0].problems'

\b
Exit code 3 when rows cannot be used.
""",
)
@click.argument("files", nargs=-1, required=True, type=_FILE)
@model_options(None)
@fields_options()
@output_option("text", "json")
@pass_context
def inspect(
    console: CliContext,
    *,
    files: Sequence[Path],
    model: str | None,
    backend: str | None,
    renderer: str | None,
    max_seq_len: int,
    **fields: str | None,
) -> None:
    """Say what FILES hold: format and mapping, every bad row, lengths, tokens, duplicates, oddities.

    Without --model no tokens are counted, and nothing heavy is loaded.
    """
    from tcao_tui.cli.render.data import joined, profile_lines
    from tcao_tui.services import inspection

    known = model_info(console, model, backend) if model else None
    profiles: list[DataProfile] = []
    for path in files:
        with progress(console, path) as draw:
            profile = inspection.inspect(
                path,
                fields=field_map(**fields),
                model=known,
                renderer=renderer,
                max_seq_len=max_seq_len,
                on_progress=draw,
            )
        profiles.append(profile)
    if console.wants_json:
        console.result(to_json([profile.model_dump(mode="json") for profile in profiles], indent=2))
    else:
        console.result(joined([profile_lines(profile, console.style) for profile in profiles]))
        for line in _next_steps(profiles, model):
            console.progress(line)
    if any(profile.bad_rows or not profile.rows for profile in profiles):
        click.get_current_context().exit(ExitCode.PLAN_INVALID)


@data.command(
    short_help="One row as the model will see it, token by token.",
    epilog="\b\nExamples:\n  tcao data preview train.jsonl --row 3\n  tcao data preview pairs.jsonl --side rejected",
)
@click.argument("file", type=_FILE)
@click.option("--row", type=click.IntRange(min=1), default=1, show_default=True, help="Number of the row.")
@click.option("--side", type=click.Choice(("chosen", "rejected")), default="chosen", help="Which side of a pair.")
@model_options(paths.TINY_MODEL_NAME)
@fields_options()
@output_option("text", "json")
@pass_context
def preview(
    console: CliContext,
    *,
    file: Path,
    row: int,
    side: Literal["chosen", "rejected"],
    model: str,
    backend: str | None,
    renderer: str | None,
    max_seq_len: int,
    **fields: str | None,
) -> None:
    """Show one row of FILE as the model will see it, token by token, with what carries loss and what is cut.

    The same row by the model's own chat template is compared with it.
    """
    from tcao_tui.cli.render.data_preview import preview_lines
    from tcao_tui.services import inspection

    shown = inspection.preview(
        file,
        row,
        fields=field_map(**fields),
        model=model_info(console, model, backend),
        renderer=renderer,
        max_seq_len=max_seq_len,
        side=side,
    )
    if console.wants_json:
        console.result(to_json(shown.model_dump(mode="json")))
    else:
        colours = console.colours and console.is_interactive
        console.result("\n".join(preview_lines(shown, console.style, colours=colours)))


@data.command(
    short_help="Seeded, stratified parts of a file in files of their own.",
    epilog="""\b
Examples:
  tcao data split train.jsonl --into split --validation 10%
  tcao data split train.jsonl --into split --validation 200 --test 200 --seed 7
""",
)
@click.argument("file", type=_FILE)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the parts.")
@click.option("--validation", default="10%", show_default=True, metavar="ROWS|PERCENT", help="Rows for validation.")
@click.option("--test", default="0", show_default=True, metavar="ROWS|PERCENT", help="Rows for your own eval.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same split.")
@fields_options()
@output_option("text", "json")
@pass_context
def split(
    console: CliContext, *, file: Path, into: Path, validation: str, test: str, seed: int, **fields: str | None
) -> None:
    """Divide FILE into train, validation and test files, stratified, with rows that repeat each other on one side."""
    from tcao_tui.cli.render.data import split_lines
    from tcao_tui.services import inspection

    mapping = field_map(**fields)
    held_out = {"validation": validation, "test": test}
    rows = 0
    if any(size.endswith("%") for size in held_out.values()):
        with progress(console, file) as draw:
            rows = inspection.inspect(file, fields=mapping, on_progress=draw).rows
    sizes = {name: row_count(size, rows, f"--{name}") for name, size in held_out.items()}
    done = inspection.split(file, into, **sizes, seed=seed, fields=mapping)
    if console.wants_json:
        console.result(to_json(done.model_dump(mode="json"), indent=2))
    else:
        console.result("\n".join(split_lines(done, console.style)))


@data.command(
    short_help="Rows that stand in two files: leakage.",
    epilog="\b\nExamples:\n  tcao data overlap train.jsonl test.jsonl\n\n\b\nExit code 3 when rows are shared.",
)
@click.argument("train", type=_FILE)
@click.argument("measuring", nargs=-1, required=True, type=_FILE)
@output_option("text", "json")
@pass_context
def overlap(console: CliContext, train: Path, measuring: Sequence[Path]) -> None:
    """Find rows of the MEASURING files, validation or evals, that stand in TRAIN: exactly, or by shared n-grams."""
    from tcao_tui.cli.render.data import joined, overlap_lines
    from tcao_tui.services import inspection

    found = [inspection.overlap(train, path) for path in measuring]
    if console.wants_json:
        console.result(to_json([one.model_dump(mode="json") for one in found], indent=2))
    else:
        console.result(joined([overlap_lines(one, console.style) for one in found]))
    if any(one.exact or one.near for one in found):
        click.get_current_context().exit(ExitCode.PLAN_INVALID)


@data.command(
    short_help="A copy without the rows that cannot be used.",
    epilog="\b\nExamples:\n  tcao data clean train.csv -o train.jsonl",
)
@click.argument("file", type=_FILE)
@click.option("-o", "--to", "target", type=_FILE, required=True, help="The copy; a file that does not exist yet.")
@fields_options()
@output_option("text", "json")
@pass_context
def clean(console: CliContext, *, file: Path, target: Path, **fields: str | None) -> None:
    """Write a copy of FILE without the rows that cannot be used, as JSONL in one plain form."""
    from tcao_tui.cli.render.data import cleaned_lines
    from tcao_tui.data.clean import clean as clean_file
    from tcao_tui.data.file_pass import file_status

    file_status(file)
    done = clean_file(file, target, field_map(**fields))
    if console.wants_json:
        problems = [{"line": problem.line, "what": problem.what, "fix": problem.fix} for problem in done.problems]
        told = {"source": str(file), "target": str(target), "kind": done.kind, "rows": done.rows}
        console.result(to_json({**told, "left_out": done.left_out, "problems": problems}, indent=2))
    else:
        console.result("\n".join(cleaned_lines(done, console.style)))
        console.progress(f"next: tcao data inspect {shlex.quote(str(target))}")


@data.command(
    short_help="One training file out of several, in wanted shares.",
    epilog="\b\nExamples:\n  tcao data mix chat.jsonl:3 code.jsonl:1 -o train.jsonl --rows 8000",
)
@click.argument("sources", nargs=-1, required=True, metavar="FILE[:WEIGHT]...")
@click.option("-o", "--to", "target", type=_FILE, required=True, help="The mix; a file that does not exist yet.")
@click.option("--rows", type=click.IntRange(min=1), help="Rows of the mix; left out: as many as the files have.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same mix.")
@fields_options()
@output_option("text", "json")
@pass_context
def mix(
    console: CliContext, *, sources: Sequence[str], target: Path, rows: int | None, seed: int, **fields: str | None
) -> None:
    """Write rows of several FILEs to one, in shares of their WEIGHTs, repeating rows of a file that is too small."""
    from tcao_tui.cli.render.data import mixed_lines
    from tcao_tui.data.mix import mix as mix_files

    mapping = field_map(**fields)
    done = mix_files([weighted_file(source, mapping) for source in sources], target, rows=rows, seed=seed)
    if console.wants_json:
        shares = [{"path": str(s.source.path), "rows": s.rows, "taken": s.taken, "times": s.times} for s in done.shares]
        told = {"target": str(target), "kind": done.kind, "rows": done.rows, "seed": seed, "sources": shares}
        console.result(to_json(told, indent=2))
    else:
        console.result("\n".join(mixed_lines(done, console.style)))
        console.progress(f"next: tcao data inspect {shlex.quote(str(target))}")


def _next_steps(profiles: Sequence[DataProfile], model: str | None) -> list[str]:
    """The command that makes sense now, for the first file."""
    from tcao_tui.domain.plain_text import one_line

    first = profiles[0]
    file = shlex.quote(one_line(str(first.path)))
    if first.bad_rows:
        return [f"next: correct these rows, or: tcao data clean {file} -o cleaned.jsonl"] if first.rows else []
    if model is None:
        return [f"next: tcao data inspect {file} --model {paths.TINY_MODEL_NAME}   (or the model to train)"]
    return [f"next: tcao data preview {file} --row 1 --model {shlex.quote(one_line(model))}"]
